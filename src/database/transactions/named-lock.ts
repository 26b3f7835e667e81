import { createHash } from 'node:crypto';
import type { EntityManager, QueryRunner } from 'typeorm';
import { engineIn } from '../data-source.js';

/** How long one query waits, in seconds. It must be shorter than the timeout of a query. */
const STATEMENT_SECONDS = 1;

/** Connections that hold named locks of their transaction. */
const holders = new WeakSet<QueryRunner>();

/**
 * Takes a named lock for a transaction, which holds it until it is committed or rolled back. The next holder therefore
 * sees what this one wrote. Returns whether it got the lock within the given number of milliseconds. On SQLite there is
 * nothing to do, because a transaction is alone on the database.
 *
 * @param turn called about once a second while it waits; if it throws, the wait ends
 */
export async function takeNamedLock(
  tx: EntityManager,
  name: string,
  waitMs: number,
  turn: () => Promise<void>,
): Promise<boolean> {
  if (engineIn(tx) === 'sqlite') {
    return true;
  }
  holders.add(tx.queryRunner!);
  // All databases of a server share the names, and a name must be short.
  const database = createHash('sha256').update(String(tx.dataSource.options.database)).digest('hex').slice(0, 16);
  const query = (sql: string, values: unknown[]): Promise<unknown> => tx.query(sql, values);
  const deadline = performance.now() + waitMs;
  do {
    if (await tryNamedLock(query, `latchkey:${database}:${name}`, STATEMENT_SECONDS)) {
      return true;
    }
    await turn();
  } while (performance.now() < deadline);
  return false;
}

/** Requests a named lock of MySQL. Returns whether it got the lock within the given number of seconds. */
export async function tryNamedLock(
  query: (sql: string, values: unknown[]) => Promise<unknown>,
  name: string,
  seconds: number,
): Promise<boolean> {
  const [row] = (await query('SELECT GET_LOCK(?, ?) AS locked', [name, seconds])) as { locked: number | null }[];
  return Number(row?.locked) === 1;
}

/** Gives back what a transaction has locked, when it has ended. A connection that cannot do that is not used again. */
export async function releaseNamedLocks(runner: QueryRunner): Promise<void> {
  if (!holders.delete(runner)) {
    return;
  }
  try {
    await runner.query('SELECT RELEASE_ALL_LOCKS()');
  } catch {
    const connection = (await runner.connect()) as { destroy(): void };
    connection.destroy();
  }
}
