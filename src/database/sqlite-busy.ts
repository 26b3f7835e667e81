import { setTimeout as sleep } from 'node:timers/promises';
import { isSqliteBusy } from './driver-errors.js';

/** How long to pause between two attempts, in milliseconds: any time between these two. */
type Pause = readonly [min: number, max: number];

/**
 * Tries work until no other connection holds SQLite's lock. Waiting is never SQLite's own doing: it would block the event
 * loop. Rejects with what the work throws, and with the busy error itself once `giveUp` says so.
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
