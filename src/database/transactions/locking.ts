import type { EntityManager } from 'typeorm';
import { engineIn } from '../data-source.js';

/**
 * Locks the rows that a `find` inside a transaction reads, until its end: `tx.findOne(User, { where, ...forUpdate(tx) })`.
 * SQLite needs no lock: transactions there come one after another.
 */
export function forUpdate(tx: EntityManager): { lock?: { mode: 'pessimistic_write' } } {
  return engineIn(tx) === 'mysql' ? { lock: { mode: 'pessimistic_write' } } : {};
}

/** Keeps the rows that a `find` inside a transaction reads as they are until its end; others may read and keep them too. */
export function keptAsRead(tx: EntityManager): { lock?: { mode: 'pessimistic_read' } } {
  return engineIn(tx) === 'mysql' ? { lock: { mode: 'pessimistic_read' } } : {};
}

/** The end of a plain `SELECT` inside a transaction whose rows must stay as they were read until the transaction ends. */
export function forShare(tx: EntityManager): ' FOR SHARE' | '' {
  return engineIn(tx) === 'mysql' ? ' FOR SHARE' : '';
}
