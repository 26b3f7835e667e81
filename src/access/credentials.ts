import type { IncomingMessage } from 'node:http';
import { Problem } from '../http/problem.js';

/** What stands in the `Authorization` header. */
export interface Credential {
  /** Lower case. */
  scheme: string;
  token: string;
}

const SHAPE = /^([A-Za-z][A-Za-z0-9._-]*) ([\x21-\x7e]{1,512})$/;

/**
 * Reads the one credential of a request. This is the only place that does; it looks at all `Authorization` headers
 * there are, because `req.headers` keeps only the first of several and says nothing.
 * Nothing presented is nothing; more than one, or anything that is not `<scheme> <token>`, is `malformed`.
 */
export function readCredential(request: IncomingMessage): Credential | undefined {
  const headers = request.headersDistinct.authorization;
  if (headers === undefined) {
    return undefined;
  }
  if (headers.length > 1) {
    throw new Problem('malformed', 'There is more than one Authorization header.');
  }
  const match = SHAPE.exec(headers[0]!.trim());
  if (!match) {
    throw new Problem('malformed', 'The Authorization header must be "ManagementKey-v1 <key>" or "Bearer <token>".');
  }
  return { scheme: match[1]!.toLowerCase(), token: match[2]! };
}
