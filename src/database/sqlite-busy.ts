import { setTimeout as sleep } from 'node:timers/promises';
import { isSqliteBusy } from './driver-errors.js';

/** The bounds of a random pause between two attempts, in milliseconds. */
type Pause = readonly [min: number, max: number];

/**
 * Retries work until no other connection holds SQLite's lock. SQLite itself never waits, because that would block the
 * event loop. Rejects with the error of the work, or with the busy error once `giveUp` returns true.
 */
export async function retryWhileBusy<Result>(
  work: () => Result,
  { pause: [min, max], giveUp = () => false }: { pause: Pause; giveUp?: () => boolean },
): Promise<Result> {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isSqliteBusy(error) || giveUp()) {
        throw error;
      }
    }
    await sleep(min + Math.random() * (max - min));
  }
}
