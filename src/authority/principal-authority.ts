import type { EntityManager } from 'typeorm';
import type { Caller } from '../access/caller.js';
import type { Principal } from '../access/principal.js';
import type { Engine } from '../database/data-source.js';

/** The part of a query from FROM on, with its parameters. */
export interface Selection {
  sql: string;
  parameters: (string | number)[];
}

/** Knows, inside a transaction, what the authority of one kind of principal rests on. */
export interface PrincipalAuthority<Kind extends Principal> {
  /**
   * Selects one row as long as nothing has changed that the decision about a caller rested on. On MySQL it locks what it
   * reads, in the global order (users, sessions, keys, what belongs to keys), so that it stays until the transaction ends.
   */
  unchanged(engine: Engine, caller: Caller<Kind>, lock: 'locked' | 'unlocked'): Selection;

  /**
   * Reads and locks the principal as it is now, however it has changed.
   * Throws the 401 problem that says why it is alive no more.
   */
  reread(tx: EntityManager, caller: Caller<Kind>): Promise<Kind>;

  /** The users on whom the authority rests, by id. */
  users(principal: Kind): number[];
}

/** The authority of each kind of principal. */
export type Authorities = { [Kind in Principal['kind']]: PrincipalAuthority<Extract<Principal, { kind: Kind }>> };

/** The provider of `Authorities`. */
export const AUTHORITIES = Symbol('latchkey:authorities');

/** How tables are joined so that they are read, and locked, in the order in which they are written. */
export function orderedJoin(engine: Engine): 'STRAIGHT_JOIN' | 'CROSS JOIN' {
  return engine === 'mysql' ? 'STRAIGHT_JOIN' : 'CROSS JOIN';
}

/** The end of a query that locks what it reads against changes. SQLite has one writer at a time, and needs no lock. */
export function sharedLock(engine: Engine, lock: 'locked' | 'unlocked'): ' FOR SHARE' | '' {
  return engine === 'mysql' && lock === 'locked' ? ' FOR SHARE' : '';
}
