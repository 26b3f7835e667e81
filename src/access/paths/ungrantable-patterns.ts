import { parseTemplate, type TemplateSegment } from './path-template.js';
import { matchesPath, type UngrantablePattern, standsBeside, type TemplateTexts } from './ungrantable-pattern.js';
import { isTold, type ToldBy } from './told-by.js';
import { confusableSkeleton } from './confusable-skeleton.js';

/** Which of some operations that no key can be granted stand beside one of these templates of endpoints. */
export function neighbours(templates: readonly string[]): (pattern: UngrantablePattern, by: ToldBy) => boolean {
  const endpoints = templates.flatMap((template) => {
    const parsed = parseTemplate(template.replace(/\/$/, ''));
    return parsed.kind === 'template' ? [literalsOf(parsed.segments)] : [];
  });
  return (pattern, by) => {
    const folded = skeletonOf(pattern);
    return endpoints.some((endpoint) => standsBeside(folded, endpoint, by));
  };
}

/** The texts of a template by which it stands beside others. */
export function literalsOf(segments: readonly TemplateSegment[]): TemplateTexts {
  return segments.map((segment) => (segment.kind === 'literal' ? confusableSkeleton(segment.text) : undefined));
}

function skeletonOf(pattern: UngrantablePattern): UngrantablePattern {
  return pattern.map((segment) => (Array.isArray(segment) ? segment.map(confusableSkeleton) : segment));
}

interface Operation {
  template: string;
  pattern: UngrantablePattern;
  by: ToldBy;
}

/** What stands beside endpoints is remembered up to so many times in all, which is a few megabytes. */
const REMEMBERED_MAX = 300_000;

/** The operations of one service that no key can be granted. */
export class UngrantablePatterns {
  private readonly operations: Operation[] = [];
  /** Few endpoints have any beside them, and those are found once: a decision looks at no other. */
  private readonly beside = new Map<TemplateTexts, readonly Operation[]>();
  private remembered = 0;

  add(template: string, pattern: UngrantablePattern, by: ToldBy): void {
    this.operations.push({ template, pattern: skeletonOf(pattern), by });
    this.beside.clear();
    this.remembered = 0;
  }

  /**
   * The template of an operation that a path could be meant for although an endpoint matches it.
   *
   * @param endpoint always the same array for the same endpoint
   * @param segments those of the path, without a trailing slash and without regard to case
   * @param query as it came
   */
  find(endpoint: TemplateTexts, segments: () => readonly string[], query: string): string | undefined {
    const beside = this.besideOf(endpoint);
    if (beside.length === 0) return undefined;
    const path = segments();
    return beside.find(({ pattern, by }) => matchesPath(pattern, path) && isTold(by, query))?.template;
  }

  private besideOf(endpoint: TemplateTexts): readonly Operation[] {
    let beside = this.beside.get(endpoint);
    if (!beside) {
      beside = this.operations.filter(({ pattern, by }) => standsBeside(pattern, endpoint, by));
      if (this.remembered + beside.length <= REMEMBERED_MAX) {
        this.beside.set(endpoint, beside);
        this.remembered += beside.length;
      }
    }
    return beside;
  }
}
