import { parse, type ParsedUrlQuery } from 'node:querystring';
import { validationFailed } from '../problems/validation-failed.js';

/**
 * Parses a query like Express's simple parser: flat, with an array for a repeated parameter. It ignores `_`, which
 * clients add with the time to bypass caches. Throws `validation-failed` for parameters that are not percent-encoded
 * UTF-8, because Node would guess their meaning.
 */
export function parseQuery(query: string | null): ParsedUrlQuery {
  const text = query ?? '';
  const undecodable = text.split('&').filter((pair) => !isDecodable(pair));
  if (undecodable.length > 0) {
    throw validationFailed(
      undecodable.map((pair) => ({ parameter: pair.split('=', 1)[0]!, detail: 'must be percent-encoded UTF-8' })),
    );
  }
  // By default, Node parses only the first 1,000 pairs, and would ignore a later filter of a deletion. Node limits the
  // length of the URL.
  const parameters = parse(text, '&', '=', { maxKeys: 0 });
  if (typeof parameters._ === 'string' && /^\d{1,20}$/.test(parameters._)) {
    delete parameters._;
  }
  return parameters;
}

function isDecodable(pair: string): boolean {
  try {
    decodeURIComponent(pair);
    return true;
  } catch {
    return false;
  }
}
