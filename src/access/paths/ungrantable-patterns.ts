import { parseTemplate, type TemplateSegment } from './path-template.js';
import { matchesPath, type UngrantablePattern, standsBeside, type TemplateTexts } from './ungrantable-pattern.js';
import { isTold, type ToldBy } from './told-by.js';
import { confusableSkeleton } from './confusable-skeleton.js';

/**
 * Returns a function that tells whether an ungrantable operation can be confused with one of these endpoint templates.
 */
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

/** Returns the texts of a template that are compared with patterns. */
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

/** How many pairs of an endpoint and an operation are cached in all. This bounds the cache to a few megabytes. */
const REMEMBERED_MAX = 300_000;

/** The ungrantable operations of one service. */
export class UngrantablePatterns {
  private readonly operations: Operation[] = [];
  /**
   * The operations that can be confused with each endpoint, found once. Few endpoints have any, and a decision checks
   * no others.
   */
  private readonly beside = new Map<TemplateTexts, readonly Operation[]>();
  private remembered = 0;

  add(template: string, pattern: UngrantablePattern, by: ToldBy): void {
    this.operations.push({ template, pattern: skeletonOf(pattern), by });
    this.beside.clear();
    this.remembered = 0;
  }

  /**
   * Finds an ungrantable operation that a path could mean although an endpoint matches it. Returns its template.
   *
   * @param endpoint always the same array for the same endpoint
   * @param segments the segments of the path, without a trailing slash; case is ignored
   * @param query the raw query
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
