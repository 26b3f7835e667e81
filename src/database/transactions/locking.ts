import type { EntityManager } from 'typeorm';
import { engineIn } from '../data-source.js';

/**
 * Locks the rows that a `find` in a transaction reads until the transaction ends: `tx.findOne(User, { where,
 * ...forUpdate(tx) })`. SQLite needs no lock, because its transactions run one after another.
 */
export function forUpdate(tx: EntityManager): { lock?: { mode: 'pessimistic_write' } } {
  return engineIn(tx) === 'mysql' ? { lock: { mode: 'pessimistic_write' } } : {};
}

/** Locks the rows that a `find` in a transaction reads in shared mode until the transaction ends. */
export function forShare(tx: EntityManager): { lock?: { mode: 'pessimistic_read' } } {
  return engineIn(tx) === 'mysql' ? { lock: { mode: 'pessimistic_read' } } : {};
}

/** Returns the suffix of a plain `SELECT` in a transaction that locks its rows in shared mode. */
export function forShareSql(tx: EntityManager): ' FOR SHARE' | '' {
  return engineIn(tx) === 'mysql' ? ' FOR SHARE' : '';
}
