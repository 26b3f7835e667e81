import { confusableSkeleton } from './confusable-skeleton.js';

/**
 * What shows that a request is meant for an operation, besides METHOD and path: nothing else (`path`), something that
 * no request contains, such as a fragment (`nothing`), any query (`query`), or one of these query parameters.
 */
export type ToldBy = 'path' | 'nothing' | 'query' | readonly string[];

const BRACES = /\{[^{}]*\}/g;
// Readers differ in which of these they treat as separators. Some start the query at its last `?`.
const SEPARATOR = /[&;?]/;
/** How often a query is decoded at most. No known reader decodes more often. */
const ROUNDS = 4;

/** Splits a template into its path and the query or fragment behind it. */
export function splitTemplate(template: string): { path: string; behind: string } {
  const at = template.replaceAll(BRACES, (braces) => 'x'.repeat(braces.length)).search(/[?#]/);
  return at === -1 ? { path: template, behind: '' } : { path: template.slice(0, at), behind: template.slice(at) };
}

/**
 * Returns what a query or fragment behind a template requires of a request. If some parameters have a fixed value, only
 * those count. With `?action=approve&page={page}`, a request that has only a page does not mean this operation.
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
 * Returns whether some reader could find in a raw query what shows that an operation is meant. Readers differ in case,
 * brackets, `+`, `;` and how often they decode. A query that some readers cannot decode could contain anything.
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

/**
 * Returns a name as the most lenient reader compares it: `$filter` is `filter` to OData, and PHP writes `_` for a dot.
 */
function skeleton(name: string): string {
  return confusableSkeleton(name).replaceAll(/[^\p{L}\p{N}]+/gu, '');
}

/** Returns the root of a name: some readers take `bulk[]`, `[bulk]`, `bulk.x` and `bulk\0x` for `bulk`. */
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

/** Decodes all valid escapes once. */
function decoded(text: string): string {
  return text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) =>
    isDecodable(escapes)
      ? decodeURIComponent(escapes)
      : escapes.replaceAll(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  );
}
