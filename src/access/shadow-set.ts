import { matchesPath, type Shadow, standsBeside, type TemplateTexts } from './shadow.js';
import { withoutCase } from './without-case.js';

interface Operation {
  template: string;
  shadow: Shadow;
}

/** What stands beside an endpoint is remembered if it is no more than this: a thousand endpoints share a memory. */
const REMEMBERED_MAX = 100;

/** The operations of one service that no key can be granted. */
export class ShadowSet {
  private readonly operations: Operation[] = [];
  /** Few endpoints have any beside them, and those are found once: a decision looks at no other. */
  private beside = new WeakMap<TemplateTexts, readonly Operation[]>();

  add(template: string, shadow: Shadow): void {
    const folded = shadow.map((segment) => (Array.isArray(segment) ? segment.map(withoutCase) : segment));
    this.operations.push({ template, shadow: folded });
    this.beside = new WeakMap();
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
      if (beside.length <= REMEMBERED_MAX) this.beside.set(endpoint, beside);
    }
    return beside;
  }
}
