import type { EntityManager } from 'typeorm';

/**
 * Locks the rows that a `find` inside a transaction reads, until its end: `tx.findOne(User, { where, ...forUpdate(tx) })`.
 * SQLite needs no lock: transactions there come one after another.
 */
export function forUpdate(tx: EntityManager): { lock?: { mode: 'pessimistic_write' } } {
  return tx.dataSource.options.type === 'mysql' ? { lock: { mode: 'pessimistic_write' } } : {};
}
