import { Problem } from '../../problems/problem.js';

/**
 * Hands on what work comes to, unless the deadline passes first: then it rejects with `decision-timeout`, and the work goes on.
 *
 * @param deadline milliseconds on the clock of `performance.now()`
 */
export function inTime<Result>(work: Promise<Result>, deadline: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Problem('decision-timeout')), deadline - performance.now());
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
