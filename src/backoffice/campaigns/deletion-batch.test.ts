import { jest } from '@jest/globals';
import { system } from '../../access/actor.js';
import type { Write } from '../../authority/write.js';

/** The time in milliseconds, which only sleeping moves. */
let now = 0;
const sleep = (milliseconds: number): Promise<void> => {
  now += milliseconds;
  return Promise.resolve();
};
jest.unstable_mockModule('node:timers/promises', () => ({ setTimeout: sleep }));
const { deleteBatch } = await import('./deletion-batch.js');

/** Transactions that wait for their turn before they begin. */
const queue = (waitMs: number) => ({
  write: async <Result>(_actor: unknown, work: (write: Write) => Promise<Result>): Promise<Result> => {
    await sleep(waitMs);
    return work(undefined as never);
  },
});

describe('after a batch of a deletion', () => {
  beforeEach(() => void jest.spyOn(performance, 'now').mockImplementation(() => now));
  afterEach(() => void jest.restoreAllMocks());

  /** For how long a batch rests that waits, and then works, for so long. */
  async function pause({ waitMs = 0, workMs = 0 }): Promise<number> {
    let ended = 0;
    const answer = await deleteBatch(queue(waitMs), system('campaign-deletion'), async () => {
      await sleep(workMs);
      ended = now;
      return 'deleted';
    });
    expect(answer).toBe('deleted');
    return now - ended;
  }

  test('pauses for half of the time that it took', async () => {
    expect(await pause({ workMs: 400 })).toBe(200);
  });

  test('time spent waiting for others adds no pause', async () => {
    expect(await pause({ waitMs: 2000 })).toBe(0);
  });

  test('the pause is short, however long it took', async () => {
    expect(await pause({ workMs: 3000 })).toBe(500);
  });

  test('a failure is reported to the caller', async () => {
    const failing = deleteBatch(queue(0), system('campaign-deletion'), () => Promise.reject(new Error('locked')));
    await expect(failing).rejects.toThrow('locked');
  });
});
