import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, type Metric, Registry } from 'prom-client';
import { Problem } from '../problems/problem.js';
import { type Amounts, type Distribution, Distributions, Tally } from './tally.js';

const SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const KEYS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** Where a decision about a request is made. */
export type DecisionKind = 'route' | 'verification' | 'forward-auth';

/** The decisions of one kind. */
export class Decisions {
  constructor(
    private readonly outcomes: Amounts,
    private readonly seconds: Distribution,
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

/** What the process counts and measures, for `/metrics`. Whoever has something to count asks for it once and keeps it. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  /** Keys that were looked up with one statement. */
  readonly keysPerStatement: Distribution;
  private readonly importedCoupons: Counter;
  private readonly importsInProgress: Gauge<'phase'>;
  private readonly decisionOutcomes = new Tally<'kind'>(
    'latchkey_decisions_total',
    'Decisions whether a request may do what it asks for, by where they are made and outcome.',
  );
  private readonly decisionSeconds = new Distributions<'kind'>(
    'latchkey_decision_duration_seconds',
    'Time from the arrival of a request to the decision about it.',
    SECONDS,
  );
  private readonly signInOutcomes = new Tally<never>('latchkey_sign_ins_total', 'Attempts to sign in, by outcome.');
  private readonly importOutcomes = new Tally<never>('latchkey_imports_total', 'Imports of coupons, by outcome.');
  private readonly signIns = this.signInOutcomes.of({});
  private readonly imports = this.importOutcomes.of({});

  constructor() {
    const keys = new Distributions<never>(
      'latchkey_key_reader_batch_size',
      'Keys that were looked up with one statement; how many such statements there were is the count.',
      KEYS,
    );
    this.keysPerStatement = keys.of({});
    for (const metric of [
      this.decisionOutcomes,
      this.decisionSeconds,
      keys,
      this.signInOutcomes,
      this.importOutcomes,
    ]) {
      // prom-client asks a metric for nothing but its name and what it has to say.
      this.registry.registerMetric(metric as unknown as Metric);
    }
    this.importsInProgress = new Gauge({
      name: 'latchkey_imports_in_progress',
      help: 'Imports that are being received and checked, or written to the database.',
      labelNames: ['phase'],
      registers: [this.registry],
    });
    this.importsInProgress.set({ phase: 'receiving' }, 0);
    this.importsInProgress.set({ phase: 'writing' }, 0);
    this.importedCoupons = new Counter({
      name: 'latchkey_imported_coupons_total',
      help: 'Coupons that were made by imports.',
      registers: [this.registry],
    });
  }

  /** The decisions of a kind, to be kept and used. */
  decisions(kind: DecisionKind): Decisions {
    return new Decisions(this.decisionOutcomes.of({ kind }), this.decisionSeconds.of({ kind }));
  }

  /** Counts a sign-in by how it ends. */
  signIn<Result>(work: () => Promise<Result>): Promise<Result> {
    return counted(this.signIns, work);
  }

  /** Counts an import by how it ends, and the coupons that it made. */
  async import<Result extends { amount: number }>(work: () => Promise<Result>): Promise<Result> {
    const result = await counted(this.imports, work);
    this.importedCoupons.inc(result.amount);
    return result;
  }

  /** Counts an import as one that is in a phase, as long as it is. */
  async duringImport<Result>(phase: 'receiving' | 'writing', work: () => Promise<Result>): Promise<Result> {
    this.importsInProgress.inc({ phase });
    try {
      return await work();
    } finally {
      this.importsInProgress.dec({ phase });
    }
  }

  /** Adds what Node tells about its process: CPU, memory, event loop, garbage collection. */
  addProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }
}

async function counted<Result>(outcomes: Amounts, work: () => Promise<Result>): Promise<Result> {
  try {
    const result = await work();
    outcomes.add('succeeded');
    return result;
  } catch (error) {
    outcomes.add(error instanceof Problem ? error.code : 'internal-error');
    throw error;
  }
}
