import { isChosen, type Suite } from '../suites.mjs';

/** Returns how much a test does: `full` where its suite runs, else `short`, as in `npm test`. */
export function size(suite: Suite, short: number, full: number): number {
  return isChosen(suite) ? full : short;
}
