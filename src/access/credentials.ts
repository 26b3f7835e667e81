import type { IncomingMessage } from 'node:http';

/** A credential as the client presented it. */
export interface Credential {
  /** Lower case. */
  scheme: string;
  token: string;
}

/** The content of the `Authorization` header, or the reason why it is not a credential. */
export type PresentedCredential =
  | { kind: 'credential'; credential: Credential }
  | { kind: 'missing' }
  | { kind: 'malformed'; detail: string | undefined };

/** The scheme under which keys are presented. */
export const KEY_AUTH_SCHEME = 'managementkey-v1';

const SHAPE = /^([A-Za-z][A-Za-z0-9._-]*) ([\x21-\x7e]{1,512})$/;
const MISSING: PresentedCredential = { kind: 'missing' };

/**
 * Reads the one credential of a request. Nothing else reads credentials. It looks at all `Authorization` headers,
 * because `req.headers` silently keeps only the first of several. More than one header, or a header that is not
 * `<scheme> <token>`, is malformed.
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

/** Returns the credential of a key that did not come in a header, such as in the body of a verification. */
export function presentedKey(token: string): PresentedCredential {
  return { kind: 'credential', credential: { scheme: KEY_AUTH_SCHEME, token } };
}
