import type { IncomingMessage } from 'node:http';

/** A credential, as it was presented. */
export interface Credential {
  /** Lower case. */
  scheme: string;
  token: string;
}

/** What stands in the `Authorization` header, or why nothing can be made of it. */
export type PresentedCredential =
  | { kind: 'credential'; credential: Credential }
  | { kind: 'missing' }
  | { kind: 'malformed'; detail: string | undefined };

/** The scheme under which keys are presented. */
export const KEY_AUTH_SCHEME = 'managementkey-v1';

const SHAPE = /^([A-Za-z][A-Za-z0-9._-]*) ([\x21-\x7e]{1,512})$/;
const MISSING: PresentedCredential = { kind: 'missing' };

/**
 * Reads the one credential of a request. This is the only place that does; it looks at all `Authorization` headers
 * there are, because `req.headers` keeps only the first of several and says nothing.
 * More than one header, or anything that is not `<scheme> <token>`, is malformed.
 */
export function readCredential(request: IncomingMessage): PresentedCredential {
  const headers = request.headersDistinct.authorization;
  if (headers === undefined) {
    return MISSING;
  }
  if (headers.length > 1) {
    return { kind: 'malformed', detail: 'There is more than one Authorization header.' };
  }
  const match = SHAPE.exec(headers[0]!.trim());
  return match
    ? { kind: 'credential', credential: { scheme: match[1]!.toLowerCase(), token: match[2]! } }
    : { kind: 'malformed', detail: undefined };
}

/** A key that came without a header, such as in the body of a verification. */
export function presentedKey(token: string): PresentedCredential {
  return { kind: 'credential', credential: { scheme: KEY_AUTH_SCHEME, token } };
}
