import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { counted, Metrics } from '../../metrics/metrics.js';
import type { OutcomeCounter } from '../../metrics/plain-metrics.js';

/** Counts imports and the coupons that they create. */
@Injectable()
export class CouponImportMetrics {
  private readonly outcomes: OutcomeCounter;
  private readonly inProgress: Gauge<'phase'>;
  private readonly coupons: Counter;

  constructor(metrics: Metrics) {
    const registers = [metrics.registry];
    this.outcomes = metrics.counters('latchkey_imports_total', 'Imports of coupons, by outcome.').of({});
    this.inProgress = new Gauge({
      name: 'latchkey_imports_in_progress',
      help: 'Imports that are being received and checked, or written to the database.',
      labelNames: ['phase'],
      registers,
    });
    this.inProgress.set({ phase: 'receiving' }, 0);
    this.inProgress.set({ phase: 'writing' }, 0);
    this.coupons = new Counter({
      name: 'latchkey_imported_coupons_total',
      help: 'Coupons that imports created.',
      registers,
    });
  }

  /** Counts an import by how it ends, and the coupons that it creates. */
  async count<Result extends { amount: number }>(work: () => Promise<Result>): Promise<Result> {
    const result = await counted(this.outcomes, work);
    this.coupons.inc(result.amount);
    return result;
  }

  /** Counts an import as in progress while one of its phases lasts. */
  async during<Result>(phase: 'receiving' | 'writing', work: () => Promise<Result>): Promise<Result> {
    this.inProgress.inc({ phase });
    try {
      return await work();
    } finally {
      this.inProgress.dec({ phase });
    }
  }
}
