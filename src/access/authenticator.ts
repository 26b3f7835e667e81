import type { Problem } from '../problems/problem.js';
import type { ApiKeyPrincipal, Principal } from './principal.js';

/** The result of looking up a credential. */
export type Authentication =
  | { kind: 'alive'; principal: Principal }
  /** A known key that does not work. The log and the usage need the reason and the key. */
  | { kind: 'dead'; problem: Problem; principal: ApiKeyPrincipal }
  | { kind: 'unknown'; problem: Problem };

/** Finds the principal of a credential, for one scheme of the `Authorization` header. */
export interface Authenticator {
  /** Lower case, such as `bearer`. */
  readonly scheme: string;
  /**
   * Reads the principal of a token from the database as it is now. Rejects with a 503 if that takes too long.
   *
   * @param deadline milliseconds on the clock of `performance.now()`
   */
  authenticate(token: string, deadline: number): Promise<Authentication>;
}

/** The provider of the list of authenticators that features supply. */
export const AUTHENTICATORS = Symbol('latchkey:authenticators');
