import { isChosen, type Suite } from '../suites.mjs';

/** Returns how much a test does: `full` if its suite runs, or else `short`, as in `npm test`. */
export function size(suite: Suite, short: number, full: number): number {
  return isChosen(suite) ? full : short;
}
