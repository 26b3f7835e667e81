import { parse, type ParsedUrlQuery } from 'node:querystring';

/**
 * Reads a query as Express's simple parser does: flat, a list where a parameter comes twice. Clients that want to get
 * past caches add `_` with the time; that says nothing about what is wanted, and is passed over.
 */
export function parseQuery(text: string): ParsedUrlQuery {
  const parameters = parse(text);
  if (typeof parameters._ === 'string' && /^\d{1,20}$/.test(parameters._)) {
    delete parameters._;
  }
  return parameters;
}
