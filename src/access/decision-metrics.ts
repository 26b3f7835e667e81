import type { Metrics } from '../metrics/metrics.js';
import type { OutcomeCounter, Histogram } from '../metrics/plain-metrics.js';

/** Where a decision about a request is made. */
export type DecisionKind = 'route' | 'verification' | 'forward-auth';

const SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/** The metrics of the decisions of one kind. */
class Decisions {
  constructor(
    private readonly outcomes: OutcomeCounter,
    private readonly seconds: Histogram,
  ) {}

  /**
   * Counts a decision.
   *
   * @param outcome `allowed`, or the code of the problem
   * @param began when the request arrived, on the clock of `performance.now()`
   */
  add(outcome: string, began: number): void {
    this.outcomes.add(outcome);
    this.seconds.add((performance.now() - began) / 1000);
  }
}

/** Counts decisions and measures how long they take, by kind. */
export type DecisionMetrics = Readonly<Record<DecisionKind, Decisions>>;

/** Registers the metrics of decisions. */
export function createDecisionMetrics(metrics: Metrics): DecisionMetrics {
  const outcomes = metrics.counters<'kind'>(
    'latchkey_decisions_total',
    'Decisions whether a request is allowed, by place and outcome.',
  );
  const seconds = metrics.histograms<'kind'>(
    'latchkey_decision_duration_seconds',
    'Time from the arrival of a request to the decision about it.',
    SECONDS,
  );
  const of = (kind: DecisionKind): Decisions => new Decisions(outcomes.of({ kind }), seconds.of({ kind }));
  return { route: of('route'), verification: of('verification'), 'forward-auth': of('forward-auth') };
}
