import { Problem } from '../../problems/problem.js';

/**
 * Resolves like the work, unless the deadline passes first. It then rejects with `decision-timeout`, and the work
 * continues.
 *
 * @param deadline milliseconds on the clock of `performance.now()`
 */
export function inTime<Result>(work: Promise<Result>, deadline: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Problem('decision-timeout')), deadline - performance.now());
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
