import { parse, type ParsedUrlQuery } from 'node:querystring';
import { invalid } from '../problems/invalid.js';

/**
 * Reads a query as Express's simple parser does: flat, a list where a parameter comes twice. Clients that want to get
 * past caches add `_` with the time; that says nothing about what is wanted, and is passed over.
 * Throws `validation-failed` for parameters that are not percent-encoded UTF-8: Node would guess what they mean.
 */
export function parseQuery(query: string | null): ParsedUrlQuery {
  const text = query ?? '';
  const undecodable = text.split('&').filter((pair) => !isDecodable(pair));
  if (undecodable.length > 0) {
    throw invalid(
      undecodable.map((pair) => ({ parameter: pair.split('=', 1)[0]!, detail: 'must be percent-encoded UTF-8' })),
    );
  }
  // By default only the first 1,000 pairs count: a filter behind them would not narrow a deletion. Node bounds the URL.
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
