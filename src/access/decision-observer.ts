import type { Endpoint } from './access.js';

/** Is told of every decision about a key that is known, to count them. It keeps no decision waiting and never throws. */
export interface DecisionObserver {
  /**
   * @param endpoint null where the request did not get as far as an endpoint
   * @param applicationId the Application that was opened; null where there is none, or the key was refused
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
