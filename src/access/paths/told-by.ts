import { confusableSkeleton } from './confusable-skeleton.js';

/**
 * What tells that a request is meant for an operation, besides METHOD and path: nothing more (`path`); nothing that a
 * request has, such as a fragment (`nothing`); any query at all (`query`); or one of these query parameters.
 */
export type ToldBy = 'path' | 'nothing' | 'query' | readonly string[];

const BRACES = /\{[^{}]*\}/g;
// Which of these separate depends on who reads; some cut a query off at its last `?`.
const SEPARATOR = /[&;?]/;
/** How often somebody might decode a query; more often than any reader that is known. */
const ROUNDS = 4;

/** A template's path, and what stands behind it: a query or a fragment, which no path has. */
export function splitTemplate(template: string): { path: string; behind: string } {
  const at = template.replaceAll(BRACES, (braces) => 'x'.repeat(braces.length)).search(/[?#]/);
  return at === -1 ? { path: template, behind: '' } : { path: template.slice(0, at), behind: template.slice(at) };
}

/**
 * What a query or fragment behind a template's path asks of a request. A parameter with a fixed value tells more than one
 * whose value is open: with `?action=approve&page={page}`, a request that has only a page is not meant.
 */
export function toldBy(behind: string): ToldBy {
  const [query = ''] = behind.split('#');
  const parameters = query
    .split(SEPARATOR)
    .filter((parameter) => parameter !== '')
    .map((parameter) => ({ name: skeleton(decoded(nameOf(parameter))), isOpen: parameter.includes('{') }));
  if (parameters.length === 0) return 'nothing';
  const fixed = parameters.filter(({ isOpen }) => !isOpen);
  const telling = fixed.length > 0 ? fixed : parameters;
  const isAny = query.split(SEPARATOR).some((parameter) => nameOf(parameter).includes('{'));
  if ((fixed.length === 0 && isAny) || telling.some(({ name }) => name === '')) return 'query';
  return telling.map(({ name }) => name);
}

/**
 * Whether some reader could find in a raw query what an operation is told by. Readers differ in case, brackets, `+`, `;`
 * and in how often they decode; a query that not all of them can decode could hold anything.
 */
export function isTold(by: ToldBy, query: string): boolean {
  if (by === 'path' || by === 'nothing') return true;
  if (query === '') return false;
  if (by === 'query' || !isDecodable(query)) return true;
  const wanted = new Set(by.map(skeleton));
  let text = query;
  for (let round = 0; ; round += 1) {
    for (const parameter of new Set(text.split(SEPARATOR))) {
      const name = confusableSkeleton(nameOf(parameter));
      if (wanted.has(skeleton(name)) || wanted.has(rootOf(name))) return true;
    }
    if (round === ROUNDS || !text.includes('%')) return false;
    text = decoded(text);
  }
}

function nameOf(parameter: string): string {
  const equalsAt = parameter.indexOf('=');
  return equalsAt === -1 ? parameter : parameter.slice(0, equalsAt);
}

/** A name as the most forgiving reader compares it: `$filter` is `filter` to OData, and PHP writes `_` for a dot. */
function skeleton(name: string): string {
  return confusableSkeleton(name).replaceAll(/[^\p{L}\p{N}]+/gu, '');
}

/** What a name begins with: `bulk[]`, `[bulk]`, `bulk.x` and `bulk\0x` are all `bulk` to somebody. */
function rootOf(name: string): string {
  const [root = ''] = name.replace(/^[^\p{L}\p{N}]+/u, '').split(/[^\p{L}\p{N}_$-]/u, 1);
  return skeleton(root);
}

function isDecodable(query: string): boolean {
  try {
    decodeURIComponent(query);
    return true;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

/** Decodes once whatever can be decoded. */
function decoded(text: string): string {
  return text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) =>
    isDecodable(escapes)
      ? decodeURIComponent(escapes)
      : escapes.replaceAll(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  );
}
