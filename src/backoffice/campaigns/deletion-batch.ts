import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor } from '../../access/actor.js';
import type { Transactions } from '../../authority/transactions.js';
import type { Write } from '../../authority/write.js';

/** MySQL may have waited for somebody's lock for seconds, in which everybody else had their turn. */
const PAUSE_MS_MAX = 500;

/**
 * Does one batch of a deletion in a transaction of its own, and then leaves the database to others for half as long as that
 * took: SQLite works within the process, which does nothing else meanwhile. Time in which the transaction waited for its
 * turn to begin does not count.
 */
export async function deleteBatch<Result>(
  transactions: Pick<Transactions, 'write'>,
  actor: Actor,
  work: (write: Write) => Promise<Result>,
): Promise<Result> {
  let began = 0;
  const result = await transactions.write(actor, (write) => {
    began = performance.now();
    return work(write);
  });
  await sleep(Math.min((performance.now() - began) / 2, PAUSE_MS_MAX));
  return result;
}
