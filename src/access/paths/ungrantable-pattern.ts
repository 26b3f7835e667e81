import { isOneSegment } from './path-template.js';
import type { ToldBy } from './told-by.js';

/**
 * One segment of a pattern. An array holds the texts before, between and after its parameters: a literal is one text,
 * and a lone parameter is two empty texts. Null matches any number of segments. `*` does too, but some readers try it
 * before a parameter, as with `{id:[0-9]+}` or `{rest+}:cancel`.
 */
export type PatternSegment = readonly string[] | null | '*';

/**
 * The pattern of an operation that keys cannot be granted, because its template does not match whole segments:
 * `/files/{name}.json` or `/{operation}:cancel`. The service still serves the operation, and a key for `/files/{id}`
 * must not open it.
 */
export type UngrantablePattern = readonly PatternSegment[];

/** The segments of an endpoint's template: the text of each literal, undefined for each parameter. */
export type TemplateTexts = readonly (string | undefined)[];

// A parameter may contain a slash itself: `/v1/{name=jobs/*}:cancel`.
const TOKEN = /\{[^{}]*\}|[^{}/]+|[{}/]/g;
const CATCH_ALL = /^(?:\+|\*{1,2})?[\w-][\w.-]*(?:\+|\*|\.\.\.)?$/;
/**
 * RFC 6570 expressions that add nothing to the path, and those that add a part of a segment. `{/x}` begins a segment.
 */
const BEHIND_PATH = /^\{[?&#]/;
const IN_SEGMENT = /^[.;]/;

/**
 * Reads the pattern of a path template. Returns undefined if no accepted path can match it.
 *
 * @param saysMany whether the document says that a parameter of this name may match more than one segment
 */
export function readUngrantablePattern(
  template: string,
  saysMany: (name: string) => boolean,
): UngrantablePattern | undefined {
  if (!template.startsWith('/') || !template.isWellFormed()) return undefined;
  const parts: SegmentReading[] = [];
  for (const token of template.match(TOKEN) ?? []) {
    const part = parts.at(-1)!;
    if (token === '/') {
      parts.push({ texts: [''], kinds: [] });
    } else if (token.startsWith('{/')) {
      parts.push({ texts: ['', ''], kinds: ['many'] });
    } else if (!/^\{.*\}$/s.test(token)) {
      part.texts.push(part.texts.pop()! + token);
    } else if (!BEHIND_PATH.test(token)) {
      part.texts.push('');
      part.kinds.push(kindOf(token.slice(1, -1), saysMany));
    }
  }
  const isEmpty = ({ texts, kinds }: SegmentReading): boolean => kinds.length === 0 && texts[0] === '';
  if (isEmpty(parts.at(-1)!)) parts.pop();
  // Paths with empty segments are refused, so such a pattern matches nothing.
  return parts.some(isEmpty) ? undefined : parts.flatMap(segmentsOf);
}

/** The texts and parameters of one segment of a template. */
interface SegmentReading {
  texts: string[];
  /** How many segments each parameter matches: one, any number, or any number under its own condition. */
  kinds: ('one' | 'many' | 'conditional')[];
}

function kindOf(name: string, saysMany: (name: string) => boolean): SegmentReading['kinds'][number] {
  if (saysMany(name)) return 'many';
  if (name === '' || IN_SEGMENT.test(name) || isOneSegment(name)) return 'one';
  return CATCH_ALL.test(name) ? 'many' : 'conditional';
}

/**
 * Converts a segment to its pattern. If a parameter matches many segments and has text beside it, the pattern matches
 * at least as much.
 */
function segmentsOf({ texts, kinds }: SegmentReading): UngrantablePattern {
  const decodedTexts = texts.map(decoded);
  const first = kinds.findIndex((kind) => kind !== 'one');
  if (first === -1) return [decodedTexts];
  const last = kinds.findLastIndex((kind) => kind !== 'one');
  const star = kinds.includes('conditional') || hasText(decodedTexts) ? '*' : null;
  const after = ['', ...decodedTexts.slice(last + 1)];
  if (hasText(after)) return [star, after];
  const before = [...decodedTexts.slice(0, first + 1), ''];
  if (hasText(before)) return [before, star];
  const between = ['', ...decodedTexts.slice(first + 1, last + 1), ''];
  return hasText(between) ? [star, between, star] : [star];
}

/**
 * Returns whether a path could match both an endpoint and a pattern, and some reader that prefers literals to
 * parameters could choose the pattern. The texts of both ignore case.
 *
 * @param by what shows that the operation is meant, besides its path: a query may take precedence over any literal
 */
export function standsBeside(pattern: UngrantablePattern, endpoint: TemplateTexts, by: ToldBy = 'path'): boolean {
  const firstStar = pattern.findIndex(isStar);
  const isStarless = firstStar === -1;
  const lastStar = pattern.findLastIndex(isStar);
  const ahead = isStarless ? pattern : pattern.slice(0, firstStar);
  const behind = isStarless ? [] : pattern.slice(lastStar + 1);
  const fits = isStarless ? ahead.length === endpoint.length : ahead.length + behind.length <= endpoint.length;
  if (!fits) return false;

  const between = isStarless ? [] : pattern.slice(firstStar, lastStar + 1);
  const takesParameter = endpoint.slice(ahead.length, endpoint.length - behind.length).includes(undefined);
  let mayPrecede = takesParameter && between.some((segment) => segment === '*' || hasText(segment));
  let isVaguer = between.length > 0;
  for (const [start, segments] of [
    [0, ahead],
    [endpoint.length - behind.length, behind],
  ] as const) {
    for (const [offset, segment] of segments.entries()) {
      if (isStar(segment)) continue;
      const at = start + offset;
      const literal = endpoint[at];
      if (literal === undefined) {
        if (hasText(segment)) mayPrecede = true;
      } else if (!matchesSegment(segment, literal, at === endpoint.length - 1)) {
        return false;
      } else if (segment.length > 1 || segment[0] !== literal) {
        isVaguer = true;
      }
    }
  }
  switch (by) {
    case 'path':
      return mayPrecede || !isVaguer;
    case 'nothing':
      return mayPrecede;
    default:
      return true;
  }
}

/**
 * Returns whether a path matches a pattern. It backtracks like a wildcard matcher: only to the last star, which then
 * takes one more segment.
 *
 * @param segments the segments of the path, without a trailing slash; case is ignored in them and in the pattern
 */
export function matchesPath(pattern: UngrantablePattern, segments: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let afterStar = 0;
  for (let index = 0; index < segments.length;) {
    const wanted = pattern[at];
    if (wanted !== undefined && isStar(wanted)) {
      star = at;
      at += 1;
      afterStar = index;
    } else if (wanted !== undefined && matchesSegment(wanted, segments[index]!, index === segments.length - 1)) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      afterStar += 1;
      index = afterStar;
    } else {
      return false;
    }
  }
  return pattern.slice(at).every(isStar);
}

function isStar(segment: PatternSegment): segment is null | '*' {
  return segment === null || segment === '*';
}

function hasText(segment: PatternSegment): boolean {
  return Array.isArray(segment) && segment.some((text) => text !== '');
}

/**
 * Returns whether a segment matches texts. Some frameworks serve `/reports` for `/reports.json`, and some proxies for
 * `/reports.`. So the last segment may have a suffix that begins with a dot.
 */
function matchesSegment(texts: readonly string[], segment: string, isLast: boolean): boolean {
  const [first = ''] = texts;
  if (!segment.startsWith(first)) return false;
  if (texts.length === 1) return segment.length === first.length || (isLast && segment[first.length] === '.');

  const last = texts.at(-1)!;
  const mayGoOn = isLast && segment.includes('.');
  if (!mayGoOn && !segment.endsWith(last)) return false;
  let from = first.length;
  for (let index = 1; index < texts.length - 1; index += 1) {
    const text = texts[index]!;
    const found = segment.indexOf(text, from);
    if (found === -1) return false;
    from = found + text.length;
  }
  return (
    (from <= segment.length - last.length && segment.endsWith(last)) || (mayGoOn && segment.includes(`${last}.`, from))
  );
}

/** Decodes a literal, so that it compares with the decoded segments of a path. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
