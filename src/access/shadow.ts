/**
 * One segment of a shadow: the texts before, between and after its parameters, so that a literal is one text and a
 * parameter alone is two empty ones. Null stands for any number of segments.
 */
export type ShadowSegment = readonly string[] | null;

/**
 * An operation that no key can be granted, because whole segments cannot match it: `/files/{name}.json` or
 * `/{operation}:cancel`. It takes requests all the same, and a key for `/files/{id}` must not open it.
 */
export type Shadow = readonly ShadowSegment[];

const PARAMETER = /\{([^{}]*)\}/g;

/**
 * Reads the shadow of a path template; nothing if no path that is ever matched could reach it.
 *
 * @param saysMany whether a parameter of this name may stand for more than one segment
 */
export function readShadow(template: string, saysMany: (name: string) => boolean): Shadow | undefined {
  if (!template.startsWith('/') || !template.isWellFormed()) return undefined;
  const parts = template.slice(1).split('/');
  if (parts.at(-1) === '') parts.pop();
  // Paths with empty segments are refused.
  if (parts.includes('')) return undefined;
  return parts.map((part) => {
    const names = [...part.matchAll(PARAMETER)].map(([, name]) => name!);
    return names.some(saysMany) ? null : part.split(/\{[^{}]*\}/).map(decoded);
  });
}

/**
 * Whether some reader that puts literals before parameters could give a path to a shadow although an endpoint matches it.
 *
 * @param segments those of the path, without a trailing slash and without regard to case; the shadow's texts likewise
 * @param isParameter of each segment of the endpoint's template, whether a parameter stands there
 */
export function fallsOn(shadow: Shadow, segments: readonly string[], isParameter: readonly boolean[]): boolean {
  return !yieldsTo(shadow, isParameter) && matchesPath(shadow, segments);
}

/** Whether the endpoint is the more literal one where the two first differ. */
function yieldsTo(shadow: Shadow, isParameter: readonly boolean[]): boolean {
  for (const [index, segment] of shadow.entries()) {
    const vague = vagueness(segment);
    const endpointVague = isParameter[index] === false ? 0 : 2;
    if (vague !== endpointVague) return vague > endpointVague;
  }
  return false;
}

/** 0 for a literal, 1 for what is partly one, 2 for a parameter, 3 for any number of segments. */
function vagueness(segment: ShadowSegment): number {
  if (segment === null) return 3;
  if (segment.length === 1) return 0;
  return segment.some((text) => text !== '') ? 1 : 2;
}

/** As a pattern with stars is matched: only the last one that was passed is ever tried again, one segment further. */
function matchesPath(shadow: Shadow, segments: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let afterStar = 0;
  for (let index = 0; index < segments.length;) {
    const wanted = shadow[at];
    if (wanted === null) {
      star = at;
      at += 1;
      afterStar = index;
    } else if (wanted !== undefined && matchesSegment(wanted, segments[index]!)) {
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
  return shadow.slice(at).every((segment) => segment === null);
}

function matchesSegment(texts: readonly string[], segment: string): boolean {
  const [first = '', ...rest] = texts;
  const last = rest.pop();
  if (last === undefined) return segment === first;
  if (segment.length < first.length + last.length || !segment.startsWith(first) || !segment.endsWith(last))
    return false;
  const end = segment.length - last.length;
  let from = first.length;
  for (const text of rest) {
    const found = segment.indexOf(text, from);
    if (found === -1 || found + text.length > end) return false;
    from = found + text.length;
  }
  return true;
}

/** A literal as the segments of a path are: without escapes. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
}
