import type { EntityManager } from 'typeorm';
import type { Caller } from '../access/caller.js';
import type { Principal } from '../access/principal.js';
import type { Engine } from '../database/data-source.js';

/** A query from its FROM on, with its parameters. */
export interface Selection {
  sql: string;
  parameters: (string | number)[];
}

/** Reads, inside a transaction, the rows that the authority of one kind of principal depends on. */
export interface PrincipalAuthority<Kind extends Principal> {
  /**
   * Selects one row if nothing has changed that the decision about a caller depended on. On MySQL it locks the rows
   * that it reads until the transaction ends, in the global order: users, sessions, keys, what belongs to keys.
   */
  unchanged(engine: Engine, caller: Caller<Kind>, lock: 'locked' | 'unlocked'): Selection;

  /**
   * Reads and locks the principal as it is now, whatever has changed. Throws the 401 problem that says why its
   * credential no longer works.
   */
  reread(tx: EntityManager, caller: Caller<Kind>): Promise<Kind>;

  /** Returns the ids of the users on whom the authority depends. */
  users(principal: Kind): number[];
}

/** The authority of each kind of principal. */
export type Authorities = { [Kind in Principal['kind']]: PrincipalAuthority<Extract<Principal, { kind: Kind }>> };

/** The provider of `Authorities`. */
export const AUTHORITIES = Symbol('latchkey:authorities');

/** Returns the join that makes the engine read, and lock, tables in the order in which transactions write them. */
export function orderedJoin(engine: Engine): 'STRAIGHT_JOIN' | 'CROSS JOIN' {
  return engine === 'mysql' ? 'STRAIGHT_JOIN' : 'CROSS JOIN';
}

/**
 * Returns the end of a query that locks the rows it reads against changes. SQLite has one writer at a time and needs no
 * lock.
 */
export function sharedLock(engine: Engine, lock: 'locked' | 'unlocked'): ' FOR SHARE' | '' {
  return engine === 'mysql' && lock === 'locked' ? ' FOR SHARE' : '';
}
