/** The values of a metric, as prom-client expects them. */
interface Statement {
  name: string;
  help: string;
  type: 'counter' | 'histogram';
  values: { metricName?: string; labels: Record<string, string | number>; value: number }[];
}

/**
 * Counts events by their labels and outcome. At tens of thousands of events a second, prom-client's own counter costs
 * ten times as much, because it looks up the labels for each event.
 */
export class OutcomeCounters<Label extends string> {
  private readonly lines: { labels: Record<Label, string>; counter: OutcomeCounter }[] = [];

  constructor(
    readonly name: string,
    private readonly help: string,
  ) {}

  /** Creates the counter of events with these labels. Keep the counter: each call creates a new one. */
  of(labels: Record<Label, string>): OutcomeCounter {
    const counter = new OutcomeCounter();
    this.lines.push({ labels, counter });
    return counter;
  }

  get(): Promise<Statement> {
    const values = this.lines.flatMap(({ labels, counter }) =>
      [...counter.entries()].map(([outcome, value]) => ({
        labels: { ...labels, outcome },
        value,
      })),
    );
    return Promise.resolve({ name: this.name, help: this.help, type: 'counter', values });
  }
}

/** Counts events by outcome. */
export class OutcomeCounter {
  private readonly amounts = new Map<string, number>();

  /**
   * Counts an event.
   *
   * @param outcome one of a few values, because each stays a line of its own forever
   */
  add(outcome: string): void {
    this.amounts.set(outcome, (this.amounts.get(outcome) ?? 0) + 1);
  }

  entries(): Iterable<[string, number]> {
    return this.amounts.entries();
  }
}

/** Measures values and sorts them into buckets. It is as cheap as `OutcomeCounters`, for the same reason. */
export class Histograms<Label extends string> {
  private readonly lines: { labels: Record<Label, string>; histogram: Histogram }[] = [];

  /**
   * Creates histograms.
   *
   * @param bounds the upper bounds of the buckets, ascending
   */
  constructor(
    readonly name: string,
    private readonly help: string,
    private readonly bounds: readonly number[],
  ) {}

  /** Creates the histogram of values with these labels. Keep the histogram: each call creates a new one. */
  of(labels: Record<Label, string>): Histogram {
    const histogram = new Histogram(this.bounds);
    this.lines.push({ labels, histogram });
    return histogram;
  }

  get(): Promise<Statement> {
    const values = this.lines.flatMap(({ labels, histogram }) =>
      histogram.lines().map(({ suffix, le, value }) => ({
        metricName: `${this.name}_${suffix}`,
        labels: { ...labels, ...(le !== undefined && { le }) },
        value,
      })),
    );
    return Promise.resolve({ name: this.name, help: this.help, type: 'histogram', values });
  }
}

/** Counts values by bucket. */
export class Histogram {
  private readonly buckets: number[];
  private sum = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.buckets = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  add(size: number): void {
    const { bounds, buckets } = this;
    let bucket = 0;
    while (bucket < bounds.length && size > bounds[bucket]!) {
      bucket += 1;
    }
    buckets[bucket]! += 1;
    this.sum += size;
  }

  /** Returns the lines of a histogram. Each bucket counts all values up to its bound. */
  lines(): { suffix: string; le?: number | string; value: number }[] {
    let count = 0;
    const lines = this.buckets.map((amount, bucket) => {
      count += amount;
      return { suffix: 'bucket', le: this.bounds[bucket] ?? '+Inf', value: count };
    });
    return [...lines, { suffix: 'sum', value: this.sum }, { suffix: 'count', value: count }];
  }
}
