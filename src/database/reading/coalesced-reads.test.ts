import { jest } from '@jest/globals';
import { CoalescedReads } from './coalesced-reads.js';
import type { DecisionReader, Sending } from './decision-reader.js';

/** A statement that was sent, and the end of it. */
interface Sent {
  sending: Sending;
  answer: (rows: unknown[]) => void;
}

/** Stands where the connections are: statements go out when a test says so, and are answered when it says so. */
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

  /** Sends what waits for longest; undefined if nobody waits for it any more. */
  send(): Sent | undefined {
    const { prepare, resolve } = this.jobs.shift()!;
    const sending = prepare();
    return sending && { sending, answer: resolve };
  }
}

describe('readings that share statements', () => {
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

  /** Reads a name for so long; answers with what came of it, once something has. */
  function read(name: string, ms: number): { outcome?: unknown } {
    const reading: { outcome?: unknown } = {};
    reads.read(name, performance.now() + ms).then(
      (found) => (reading.outcome = found ?? 'nothing'),
      (error: { code: string }) => (reading.outcome = error.code),
    );
    return reading;
  }

  const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

  it('get each the answer to their own question, of one statement', async () => {
    const readings = ['a', 'b', 'a'].map((name) => read(name, 1000));
    const sent = lanes.send()!;
    expect(sent.sending.statement.list).toEqual(['a', 'b']);
    sent.answer(['a']);
    await pass(0);
    expect(readings.map(({ outcome }) => outcome)).toEqual(['a', 'nothing', 'a']);
  });

  it('never join a statement that has been sent', async () => {
    const early = read('a', 1000);
    const sent = lanes.send()!;
    const late = read('a', 1000);
    sent.answer(['a']);
    await pass(0);
    expect([early.outcome, late.outcome]).toEqual(['a', undefined]);
    lanes.send()!.answer([]);
    await pass(0);
    expect(late.outcome).toBe('nothing');
  });

  it('are refused each at their own time, not at that of whoever came first', async () => {
    const first = read('a', 1000);
    await pass(700);
    const second = read('a', 1000);
    const sent = lanes.send()!;
    await pass(305);
    expect([first.outcome, second.outcome]).toEqual(['decision-timeout', undefined]);
    expect(sent.sending.isCancelled).toBe(false);
    sent.answer(['a']);
    await pass(0);
    expect(second.outcome).toBe('a');
  });

  it('are cancelled when nobody waits for them any more', async () => {
    const readings = [read('a', 1000), read('b', 1500)];
    const { sending } = lanes.send()!;
    await pass(1010);
    expect(sending.isCancelled).toBe(false);
    await pass(500);
    expect(sending.isCancelled).toBe(true);
    expect(readings.map(({ outcome }) => outcome)).toEqual(['decision-timeout', 'decision-timeout']);
  });

  it('are refused in time although no statement can be sent, and then none is', async () => {
    const readings = [read('a', 1000), read('b', 1001)];
    await pass(1010);
    expect(readings.map(({ outcome }) => outcome)).toEqual(['decision-timeout', 'decision-timeout']);
    expect(lanes.send()).toBeUndefined();
  });

  it('leave each lane its share, and the rest waits no longer than it may', async () => {
    const readings = Array.from({ length: 100 }, (_, nth) => read(`name ${nth}`, 1000));
    const one = lanes.send()!;
    expect(one.sending.statement.list).toHaveLength(50);
    const more = read('one more', 1000);
    const other = lanes.send()!;
    expect(other.sending.statement.list).toHaveLength(51);
    one.answer(['name 0']);
    await pass(1005);
    expect(readings[0]!.outcome).toBe('name 0');
    expect(readings[99]!.outcome).toBe('decision-timeout');
    expect(more.outcome).toBe('decision-timeout');
    other.answer([]);
    await pass(0);
  });

  it('are 500 in one statement at the most', async () => {
    const readings = Array.from({ length: 1200 }, (_, nth) => read(`name ${nth}`, 1000));
    const sizes: number[] = [];
    while (sizes.reduce((sum, size) => sum + size, 0) < 1200) {
      const sent = lanes.send()!;
      sizes.push(sent.sending.statement.list!.length);
      sent.answer([]);
      await pass(0);
    }
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    expect(readings.every(({ outcome }) => outcome === 'nothing')).toBe(true);
  });
});
