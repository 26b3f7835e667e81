import { OVERRIDE_PARAMETERS, OVERRIDE_PARAMETERS_BY_VALUE, type RequestOverride } from './request-overrides.js';

/** A path that all readers split in the same way. */
export interface PathSegments {
  kind: 'segments';
  /** The segments, decoded once. A trailing slash becomes an empty last segment. */
  segments: readonly string[];
  /**
   * Which segments contained a percent escape. Routers that match before decoding see another text there than routers
   * that decode first. So a literal only matches a segment without escapes.
   */
  escaped: readonly boolean[];
  /** The raw query without its "?". Empty if there is none. */
  query: string;
}

/** A path that two readers could split differently, with the reason. */
export interface AmbiguousPath {
  kind: 'ambiguous';
  reason: string;
}

/** The result of reading a raw request target. */
export type RawPath = PathSegments | AmbiguousPath;

const targetBytesMax = 8192;

// Almost all normal paths consist of these characters and have no segment that starts with a dot. For them this one
// test is enough.
const plainPath = /^(?:\/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9_~!$&'()*+,=:@.-]*)+\/?$/;
const nothingEscaped: readonly boolean[] = [];

const printableAscii = /^[!-~]*$/;
const dotsOnly = /^\.+$/;
const brokenEscape = /%(?![0-9A-Fa-f]{2})/;
const asciiEscape = /%([0-7][0-9A-Fa-f])/g;
const escapeAfterDecoding = /%[0-9A-Fa-f]{2}/;
const unreserved = /[A-Za-z0-9\-._~]/;
const separator = /[/\\?#; ]/;
const controlCharacter = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * Reads the path of a raw request target and keeps the query unchanged. Returns an ambiguous path if two readers could
 * disagree about it.
 *
 * @param raw the value of a header (latin1), or a string from JSON
 */
export function readRawPath(raw: string): RawPath {
  if (raw.length > targetBytesMax) return ambiguous('more than 8 KB');
  const queryAt = raw.indexOf('?');
  let path = raw;
  let query = '';
  if (queryAt !== -1) {
    path = raw.slice(0, queryAt);
    query = raw.slice(queryAt + 1);
    if (!printableAscii.test(query)) return ambiguous('a character outside printable ASCII');
    if (query.includes('#')) return ambiguous('a fragment');
    const override = findMethodOverride(raw);
    if (override !== undefined) return ambiguous(`a query parameter "${override}", which may change the METHOD`);
  }
  if (plainPath.test(path)) {
    return { kind: 'segments', segments: path.slice(1).split('/'), escaped: nothingEscaped, query };
  }
  return readUnusualPath(path, query);
}

function readUnusualPath(path: string, query: string): RawPath {
  if (!printableAscii.test(path)) return ambiguous('a character outside printable ASCII');
  if (!path.startsWith('/')) return ambiguous('no "/" at its start');
  if (path.includes('#')) return ambiguous('a fragment');
  if (path.includes('\\')) return ambiguous('a backslash');
  if (path.includes(';')) return ambiguous('a semicolon');

  const segments: string[] = [];
  const escaped: boolean[] = [];
  const parts = path.slice(1).split('/');
  for (const [index, part] of parts.entries()) {
    if (part === '' && index < parts.length - 1) return ambiguous('an empty segment');
    // More than two dots are a normal name to most readers. Caddy and Windows remove dots at the end, and read
    // "/users/..." as "/users/".
    if (dotsOnly.test(part)) return ambiguous('a segment of dots');
    if (part.includes('%')) {
      const decoded = decodeSegment(part);
      if (typeof decoded !== 'string') return decoded;
      // find-my-way finds parameters in the lower-cased path, and cuts them out of the original at the same indices.
      const shifts = index < parts.length - 1 && decoded.toLowerCase().length !== decoded.length;
      if (shifts) return ambiguous('a character that grows in lower case, before another segment');
      segments.push(decoded);
      escaped.push(true);
    } else {
      segments.push(part);
      escaped.push(false);
    }
  }
  return { kind: 'segments', segments, escaped, query };
}

function decodeSegment(part: string): string | AmbiguousPath {
  if (brokenEscape.test(part)) return ambiguous('a "%" without two hex digits');
  for (const [, hex = ''] of part.matchAll(asciiEscape)) {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    if (unreserved.test(character)) return ambiguous(`an escape of "${character}", which needs none`);
    if (separator.test(character)) return ambiguous(`an escaped "${character}"`);
  }
  let decoded: string;
  try {
    decoded = decodeURIComponent(part);
  } catch {
    return ambiguous('escapes that are not UTF-8');
  }
  if (controlCharacter.test(decoded)) return ambiguous('an escaped control character');
  if (escapeAfterDecoding.test(decoded)) return ambiguous('an escape within an escape');
  return decoded;
}

// The METHODs that OpenAPI documents can have.
const anyMethod = /^[^a-z]*(?:get|head|post|put|patch|delete|options|trace)[^a-z]*$/i;
const overrideName = overrideFinder(OVERRIDE_PARAMETERS);
const overrideNameByValue = overrideFinder(OVERRIDE_PARAMETERS_BY_VALUE);
// Play 1 searches the whole query for this text, values included.
const overrideAnywhere = /x-http-method-override=/i;
// Every name in the tables contains this word. So most queries need no further check.
const methodWord = /method/i;
const mayHoldMethodWord = /method|%/i;

/** Finds a query parameter that an upstream may take for the METHOD. Returns its name in the table. */
export function findMethodOverride(raw: string): string | undefined {
  const queryAt = raw.indexOf('?');
  if (queryAt === -1) return undefined;
  const query = raw.slice(queryAt + 1);
  if (!mayHoldMethodWord.test(query)) return undefined;
  if (overrideAnywhere.test(query)) return 'X-HTTP-Method-Override';
  // `;` is a separator for some parsers, and some start the query at its last `?`.
  for (const parameter of query.split(/[&;?]/)) {
    const equalsAt = parameter.indexOf('=');
    const name = decodeLoosely(equalsAt === -1 ? parameter : parameter.slice(0, equalsAt));
    if (!methodWord.test(name)) continue;
    const value = equalsAt === -1 ? '' : decodeLoosely(parameter.slice(equalsAt + 1));
    const override = overrideName(name) ?? (anyMethod.test(value) ? overrideNameByValue(name) : undefined);
    if (override !== undefined) return override;
  }
  return undefined;
}

/**
 * Creates a function that finds the name in the table that some framework would read from a decoded name. Frameworks
 * are lenient: PHP turns `.method` and ` _method` into `_method`, and qs does so with `[_method]` and `_method[]`.
 * `payment_method` and `_method_name` are ordinary parameters and do not match.
 */
function overrideFinder(table: readonly RequestOverride[]): (name: string) => string | undefined {
  const patterns = table.map(({ name }) => {
    const words = name.match(/[a-z0-9]+/gi)!.join('[^a-z0-9]+');
    const isMarked = /^[^a-z0-9]/i.test(name);
    return { name, pattern: new RegExp(`^[^a-z0-9]${isMarked ? '+' : '*'}${words}(?![a-z0-9_-])`, 'i') };
  });
  return (decoded) => {
    const found = table.find(({ name }) => name === decoded) ?? patterns.find(({ pattern }) => pattern.test(decoded));
    return found?.name;
  };
}

// ASP.NET decodes `%u005F` as well.
const anyEscape = /%(?:u[0-9A-F]{4}|[0-9A-F]{2})/gi;

/**
 * Decodes all escapes, several times. The check must cover parsers that decode once and parsers that decode repeatedly.
 */
function decodeLoosely(name: string): string {
  let decoded = name.replaceAll('+', ' ');
  for (let round = 0; round < 4 && decoded.includes('%'); round++) {
    decoded = decoded.replace(anyEscape, (escape) =>
      String.fromCharCode(Number.parseInt(escape.replace(/^%u?/i, ''), 16)),
    );
  }
  return decoded;
}

function ambiguous(reason: string): AmbiguousPath {
  return { kind: 'ambiguous', reason };
}
