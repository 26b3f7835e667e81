import type { Problem } from '../problems/problem.js';
import type { ApiKeyPrincipal, Principal } from './principal.js';

/** Who stands behind a credential. */
export type Authentication =
  | { kind: 'alive'; principal: Principal }
  /** A key that is known and does not work: why, and which one it is, for the log and the counts. */
  | { kind: 'dead'; problem: Problem; principal: ApiKeyPrincipal }
  | { kind: 'unknown'; problem: Problem };

/** Answers "who is this?" for one scheme of the `Authorization` header. */
export interface Authenticator {
  /** Lower case, such as `bearer`. */
  readonly scheme: string;
  /**
   * Reads who stands behind a token, as the database has it now. Rejects with a 503 if that takes too long.
   *
   * @param deadline milliseconds on the clock of `performance.now()`
   */
  authenticate(token: string, deadline: number): Promise<Authentication>;
}

/** The authenticators that features provide, as a list. */
export const AUTHENTICATORS = Symbol('latchkey:authenticators');
