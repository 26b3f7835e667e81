import { matchesPath, type Shadow, standsBeside, type TemplateTexts } from './shadow.js';
import { withoutCase } from './without-case.js';

interface Operation {
  template: string;
  shadow: Shadow;
}

/** What stands beside endpoints is remembered up to so many times in all, which is a few megabytes. */
const REMEMBERED_MAX = 300_000;

/** The operations of one service that no key can be granted. */
export class ShadowSet {
  private readonly operations: Operation[] = [];
  /** Few endpoints have any beside them, and those are found once: a decision looks at no other. */
  private readonly beside = new Map<TemplateTexts, readonly Operation[]>();
  private remembered = 0;

  add(template: string, shadow: Shadow): void {
    const folded = shadow.map((segment) => (Array.isArray(segment) ? segment.map(withoutCase) : segment));
    this.operations.push({ template, shadow: folded });
    this.beside.clear();
    this.remembered = 0;
  }

  /**
   * The template of an operation that a path could be meant for although an endpoint matches it.
   *
   * @param endpoint always the same array for the same endpoint
   * @param segments those of the path, without a trailing slash and without regard to case
   */
  find(endpoint: TemplateTexts, segments: () => readonly string[]): string | undefined {
    const beside = this.besideOf(endpoint);
    if (beside.length === 0) return undefined;
    const path = segments();
    return beside.find(({ shadow }) => matchesPath(shadow, path))?.template;
  }

  private besideOf(endpoint: TemplateTexts): readonly Operation[] {
    let beside = this.beside.get(endpoint);
    if (!beside) {
      beside = this.operations.filter(({ shadow }) => standsBeside(shadow, endpoint));
      if (this.remembered + beside.length <= REMEMBERED_MAX) {
        this.beside.set(endpoint, beside);
        this.remembered += beside.length;
      }
    }
    return beside;
  }
}
