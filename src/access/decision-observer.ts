import type { Endpoint } from './access.js';

/** Receives every decision about a known key, to count it. It never delays a decision and never throws. */
export interface DecisionObserver {
  /**
   * Records one decision.
   *
   * @param endpoint null if the request was refused before an endpoint was found
   * @param applicationId the Application that was opened; null if there is none, or if the key was refused
   * @param outcome `allowed`, or the code of the refusal
   */
  record(
    apiKeyId: number,
    endpoint: Pick<Endpoint, 'service' | 'method' | 'path'> | null,
    applicationId: number | null,
    outcome: string,
  ): void;
}

/** The provider of the one `DecisionObserver`. */
export const DECISION_OBSERVER = Symbol('latchkey:decision-observer');
