import { jest } from '@jest/globals';
import { getRepositoryToken } from '@nestjs/typeorm';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import { OWASP_COST, Passwords } from '../../src/users/passwords/passwords.js';
import { User } from '../../src/users/user.entity.js';
import type { Answer, ProblemBody } from '../support/client.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

/** Tests what needs hashes at their cost in production. All other tests use cheap hashes. */
describe('a password that is hashed at the cost of production', () => {
  let latchkey: Latchkey;
  let users = 0;
  let addresses = 0;

  beforeAll(async () => {
    latchkey = await startLatchkey({ TRUST_PROXY: 'loopback' }, { hashCost: OWASP_COST });
  });
  afterAll(() => latchkey.close());
  afterEach(() => jest.restoreAllMocks());

  const newUser = async (): Promise<{ email: string }> => {
    users += 1;
    const email = `user${users}@example.com`;
    await latchkey.admin.post('/v1/users', { name: `User ${users}`, email, password: `the password of ${users}` });
    return { email };
  };
  const newAddress = (): string => `198.51.100.${(addresses += 1)}`;
  const signIn = (email: string, password: string, address: string): Promise<Answer<ProblemBody>> =>
    latchkey.anonymous.post<ProblemBody>('/v1/sessions', { email, password }, { 'x-forwarded-for': address });
  const guess = async (email: string, address: string): Promise<number> =>
    (await signIn(email, 'not the password', address)).status;
  const guessSixTimes = async (email: string, address: string): Promise<number[]> => {
    const statuses: number[] = [];
    while (statuses.length < 6) {
      statuses.push(await guess(email, address));
    }
    return statuses;
  };

  it('is stored as an argon2id hash with the parameters that OWASP recommends', async () => {
    await newUser();
    const rows = latchkey.get<{ find(): Promise<{ passwordHash: string }[]> }>(getRepositoryToken(User) as never);
    const hashes = (await rows.find()).map(({ passwordHash }) => passwordHash);
    expect(hashes.length).toBeGreaterThan(1);
    for (const hash of hashes) {
      expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    }
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('is compared in the same time whether or not the user exists', async () => {
    const { email } = await newUser();
    const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
    for (let round = 0; round < 40; round += 1) {
      for (const [kind, address] of Object.entries({ known: email, unknown: `nobody${round}@example.com` })) {
        const start = performance.now();
        expect(await guess(address, newAddress())).toBe(401);
        times[kind as keyof typeof times].push(performance.now() - start);
      }
    }
    const median = (values: number[]): number => values.sort((one, other) => one - other)[values.length / 2]!;
    // Without a hash for unknown users, their sign-ins would take a fraction of this time.
    expect(median(times.unknown) / median(times.known)).toBeGreaterThan(0.7);
    expect(median(times.unknown) / median(times.known)).toBeLessThan(1.4);
  });

  /**
   * Runs work while two passwords are being hashed and fifty wait. Each hash that finishes is replaced with another.
   */
  async function whileQueueIsFull(work: () => Promise<void>): Promise<void> {
    const passwords = latchkey.get(Passwords);
    let full = true;
    const fill = async (): Promise<void> => {
      while (full) {
        await passwords.hash('one of many passwords');
      }
    };
    const filling = Array.from({ length: 52 }, fill);
    try {
      await work();
    } finally {
      full = false;
      await Promise.all(filling);
    }
  }

  it('is refused with 503 while the queue of hashes is full, and is then not counted as a guess', async () => {
    const { email } = await newUser();
    const address = newAddress();
    await whileQueueIsFull(async () => {
      for (let round = 0; round < 6; round += 1) {
        const busy = await signIn(email, 'not the password', address);
        expect(busy).toMatchObject({ status: 503, body: { code: 'too-busy' } });
        expect(busy.headers.get('retry-after')).not.toBeNull();
      }
    });
    expect(await guessSixTimes(email, address)).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('causes no write to the database while the queue of hashes is full', async () => {
    const { email } = await newUser();
    const writing = jest.spyOn(latchkey.get(TransactionRunner), 'inTransaction');
    await whileQueueIsFull(async () => {
      expect((await signIn(email, 'not the password', newAddress())).body.code).toBe('too-busy');
    });
    expect(writing).not.toHaveBeenCalled();
  });
});
