import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { Problem } from '../problems/problem.js';
import { type OutcomeCounter, Histograms, OutcomeCounters } from './plain-metrics.js';

/** The registry behind `/metrics`. A feature adds each of its metrics once and keeps it. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  /** Adds counters of events, with these labels and an outcome. */
  counters<Label extends string = never>(name: string, help: string): OutcomeCounters<Label> {
    return this.add(new OutcomeCounters<Label>(name, help));
  }

  /** Adds histograms, with these labels. */
  histograms<Label extends string = never>(name: string, help: string, bounds: readonly number[]): Histograms<Label> {
    return this.add(new Histograms<Label>(name, help, bounds));
  }

  /** Adds the process metrics of Node: CPU, memory, event loop, garbage collection. */
  addProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }

  private add<Added>(metric: Added): Added {
    // prom-client only uses the name and the values of a metric.
    this.registry.registerMetric(metric as Metric);
    return metric;
  }
}

/** Counts how work ends: as `succeeded`, or with the code of its problem. */
export async function counted<Result>(outcomes: OutcomeCounter, work: () => Promise<Result>): Promise<Result> {
  try {
    const result = await work();
    outcomes.add('succeeded');
    return result;
  } catch (error) {
    outcomes.add(error instanceof Problem ? error.code : 'internal-error');
    throw error;
  }
}
