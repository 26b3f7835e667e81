import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { PeriodicWork } from './periodic-work.js';

describe('periodic work', () => {
  let runs: { end: () => void; fail: (error: Error) => void }[];
  let work: PeriodicWork;
  let begun: (() => void) | undefined;
  let warn: jest.SpiedFunction<typeof Logger.prototype.warn>;

  beforeEach(() => {
    warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    runs = [];
    work = new PeriodicWork('The test', 1, () => {
      begun?.();
      return new Promise<void>((resolve, reject) => runs.push({ end: resolve, fail: reject }));
    });
  });
  afterEach(async () => {
    const stopping = work.stop();
    runs.forEach(({ end }) => end());
    await stopping;
    jest.restoreAllMocks();
  });

  /** Resolves when the next run begins. Never resolves if none begins. */
  const nextRun = (): Promise<void> => new Promise((resolve) => (begun = resolve));

  test('runs repeatedly, but never twice at once', async () => {
    let next = nextRun();
    work.start();
    await next;
    next = nextRun();
    // Many intervals pass.
    await sleep(50);
    expect(runs).toHaveLength(1);
    runs[0]!.end();
    await next;
    expect(runs).toHaveLength(2);
  });

  test('that fails is logged and tried again', async () => {
    let next = nextRun();
    work.start();
    await next;
    next = nextRun();
    runs[0]!.fail(new Error('the disk is full'));
    await next;
    expect(warn.mock.calls).toEqual([['The test failed, and is tried again later: Error: the disk is full']]);
  });

  test('that throws synchronously is logged, too', async () => {
    const broken = new PeriodicWork('The test', 1, () => {
      throw new Error('no promise');
    });
    await broken.run();
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test('that is requested during a run runs again afterwards', async () => {
    const both = Promise.all([work.run(), work.run()]);
    await nextRun();
    expect(runs).toHaveLength(1);
    const next = nextRun();
    runs[0]!.end();
    await next;
    runs[1]!.end();
    await both;
    expect(runs).toHaveLength(2);
  });

  test('stops after the current run and does not start again', async () => {
    const next = nextRun();
    work.start();
    await next;
    let stopped = false;
    const stopping = work.stop().then(() => (stopped = true));
    const late = work.run();
    await sleep(20);
    expect(stopped).toBe(false);
    runs[0]!.end();
    await Promise.all([stopping, late]);
    await sleep(20);
    expect(runs).toHaveLength(1);
  });

  test('that is stopped before its start never runs', async () => {
    await work.stop();
    work.start();
    await sleep(20);
    expect(runs).toHaveLength(0);
  });
});
