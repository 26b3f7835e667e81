import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor } from '../../access/actor.js';
import type { Transactions } from '../../authority/transactions.js';
import type { Write } from '../../authority/write.js';

/** A maximum, because MySQL may have waited for a lock for seconds, during which others could work. */
const PAUSE_MS_MAX = 500;

/**
 * Runs one batch of a deletion in its own transaction, then pauses for half its duration. SQLite runs within the
 * process, which does nothing else meanwhile. The time that the transaction waited for its turn does not count.
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
