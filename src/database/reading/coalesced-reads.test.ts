import { jest } from '@jest/globals';
import { CoalescedReads } from './coalesced-reads.js';
import type { DecisionReader, Sending } from './decision-reader.js';

/** A query that was sent, and the function that completes it. */
interface Sent {
  sending: Sending;
  complete: (rows: unknown[]) => void;
}

/** Replaces the connections. A test decides when queries are sent and completed. */
class Lanes {
  readonly laneCount = 2;
  waiting = 0;
  private readonly jobs: { prepare: () => Sending | undefined; resolve: (rows: unknown[]) => void }[] = [];

  enter(): void {
    this.waiting += 1;
  }

  leave(count: number): void {
    this.waiting -= count;
  }

  read(prepare: () => Sending | undefined): Promise<unknown[]> {
    return new Promise((resolve) => this.jobs.push({ prepare, resolve }));
  }

  /** Sends the query that has waited longest. Returns undefined if no read waits for it any more. */
  send(): Sent | undefined {
    const { prepare, resolve } = this.jobs.shift()!;
    const sending = prepare();
    return sending && { sending, complete: resolve };
  }
}

describe('reads that share a query', () => {
  let lanes: Lanes;
  let reads: CoalescedReads<string, string, string | undefined>;

  beforeEach(() => {
    jest.useFakeTimers();
    lanes = new Lanes();
    reads = new CoalescedReads(lanes as unknown as DecisionReader, {
      statement: (names) => ({ mysql: '?', sqlite: '?', list: names }),
      answer: (rows: readonly string[]) => (name) => rows.find((row) => row === name),
    });
  });
  afterEach(() => {
    expect(lanes.waiting).toBe(0);
    jest.useRealTimers();
  });

  /** Reads a name with a timeout. Returns an object that gets the outcome once there is one. */
  function read(name: string, ms: number): { outcome?: unknown } {
    const reading: { outcome?: unknown } = {};
    reads.read(name, performance.now() + ms).then(
      (found) => (reading.outcome = found ?? 'nothing'),
      (error: { code: string }) => (reading.outcome = error.code),
    );
    return reading;
  }

  const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

  it('each get their own result from one query', async () => {
    const readings = ['a', 'b', 'a'].map((name) => read(name, 1000));
    const sent = lanes.send()!;
    expect(sent.sending.statement.list).toEqual(['a', 'b']);
    sent.complete(['a']);
    await pass(0);
    expect(readings.map(({ outcome }) => outcome)).toEqual(['a', 'nothing', 'a']);
  });

  it('never join a query that was already sent', async () => {
    const early = read('a', 1000);
    const sent = lanes.send()!;
    const late = read('a', 1000);
    sent.complete(['a']);
    await pass(0);
    expect([early.outcome, late.outcome]).toEqual(['a', undefined]);
    lanes.send()!.complete([]);
    await pass(0);
    expect(late.outcome).toBe('nothing');
  });

  it('each time out at their own deadline, not at that of the first', async () => {
    const first = read('a', 1000);
    await pass(700);
    const second = read('a', 1000);
    const sent = lanes.send()!;
    await pass(305);
    expect([first.outcome, second.outcome]).toEqual(['decision-timeout', undefined]);
    expect(sent.sending.isCancelled).toBe(false);
    sent.complete(['a']);
    await pass(0);
    expect(second.outcome).toBe('a');
  });

  it('are cancelled when all of them have timed out', async () => {
    const readings = [read('a', 1000), read('b', 1500)];
    const { sending } = lanes.send()!;
    await pass(1010);
    expect(sending.isCancelled).toBe(false);
    await pass(500);
    expect(sending.isCancelled).toBe(true);
    expect(readings.map(({ outcome }) => outcome)).toEqual(['decision-timeout', 'decision-timeout']);
  });

  it('time out even if no query can be sent, and then none is sent', async () => {
    const readings = [read('a', 1000), read('b', 1001)];
    await pass(1010);
    expect(readings.map(({ outcome }) => outcome)).toEqual(['decision-timeout', 'decision-timeout']);
    expect(lanes.send()).toBeUndefined();
  });

  it('are divided between the lanes, and the rest time out at their deadline', async () => {
    const readings = Array.from({ length: 100 }, (_, nth) => read(`name ${nth}`, 1000));
    const one = lanes.send()!;
    expect(one.sending.statement.list).toHaveLength(50);
    const more = read('one more', 1000);
    const other = lanes.send()!;
    expect(other.sending.statement.list).toHaveLength(51);
    one.complete(['name 0']);
    await pass(1005);
    expect(readings[0]!.outcome).toBe('name 0');
    expect(readings[99]!.outcome).toBe('decision-timeout');
    expect(more.outcome).toBe('decision-timeout');
    other.complete([]);
    await pass(0);
  });

  it('are at most 500 in one query', async () => {
    const readings = Array.from({ length: 1200 }, (_, nth) => read(`name ${nth}`, 1000));
    const sizes: number[] = [];
    while (sizes.reduce((sum, size) => sum + size, 0) < 1200) {
      const sent = lanes.send()!;
      sizes.push(sent.sending.statement.list!.length);
      sent.complete([]);
      await pass(0);
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    expect(readings.every(({ outcome }) => outcome === 'nothing')).toBe(true);
  });
});
