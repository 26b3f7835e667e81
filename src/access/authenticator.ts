import type { Principal } from './principal.js';

/** Answers "who is this?" for one scheme of the `Authorization` header. Features contribute them; the guard asks them. */
export interface Authenticator {
  /** Lower case, such as `bearer`. */
  readonly scheme: string;
  /**
   * The living principal that a token stands for, as the database has it now.
   * Throws the 401 problem that says why it is none, or a 503 if that could not be found out in time.
   *
   * @param deadline milliseconds on the clock of `performance.now()`
   */
  authenticate(token: string, deadline: number): Promise<Principal>;
}
