import { jest } from '@jest/globals';
import type { Answer, ProblemBody } from '../support/client.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { size } from '../support/size.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe('guessing passwords', () => {
  let latchkey: Latchkey;
  let replica: Latchkey;
  let count = 0;
  let addresses = 0;

  beforeAll(async () => {
    // The clock moves by months.
    latchkey = await startLatchkey({ TRUST_PROXY: 'loopback', SESSION_LIFETIME_HOURS: '8760' });
    replica = await startLatchkey({ TRUST_PROXY: 'loopback' }, { original: latchkey });
  });
  afterAll(async () => {
    await replica.close();
    await latchkey.close();
  });
  afterEach(() => jest.restoreAllMocks());
  // The counts of one test expire before the next.
  beforeEach(() => latchkey.clock.advance(15 * MINUTE_MS));

  const newUser = async (): Promise<{ id: number; email: string; password: string }> => {
    count += 1;
    const user = { name: `User ${count}`, email: `user${count}@example.com`, password: `the password of ${count}` };
    return { ...user, id: (await latchkey.admin.post<{ id: number }>('/v1/users', user)).body.id };
  };
  const newAddress = (): string => {
    addresses += 1;
    return `198.51.${100 + Math.floor(addresses / 250)}.${1 + (addresses % 250)}`;
  };
  const signIn = (
    email: string,
    password: string,
    address: string,
    at: Latchkey = latchkey,
  ): Promise<Answer<ProblemBody>> =>
    at.anonymous.post<ProblemBody>('/v1/sessions', { email, password }, { 'x-forwarded-for': address });
  const guess = async (email: string, address: string, at: Latchkey = latchkey): Promise<number> =>
    (await signIn(email, 'not the password', address, at)).status;
  const repeat = async <Result>(times: number, work: (round: number) => Promise<Result>): Promise<Result[]> => {
    const results: Result[] = [];
    for (let round = 0; round < times; round += 1) {
      results.push(await work(round));
    }
    return results;
  };

  it('is blocked for 15 minutes after 5 failures for an account from one address, and the response says until when', async () => {
    const { email, password } = await newUser();
    const address = newAddress();
    expect(await repeat(5, () => guess(email, address))).toEqual([401, 401, 401, 401, 401]);
    latchkey.clock.advance(5 * MINUTE_MS);
    const refused = await signIn(email, password, address);
    expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-attempts', retryAfterSeconds: 600 } });
    expect(refused.headers.get('retry-after')).toBe('600');
    latchkey.clock.advance(10 * MINUTE_MS - 1);
    expect(await guess(email.toUpperCase(), address)).toBe(429);
    latchkey.clock.advance(1);
    expect((await signIn(email, password, address)).status).toBe(201);
  });

  it('for one account from one address blocks neither other addresses nor other accounts', async () => {
    const [ada, ben] = [await newUser(), await newUser()];
    const address = newAddress();
    await repeat(6, () => guess(ada.email, address));
    expect(await guess(ada.email, address)).toBe(429);
    expect((await signIn(ada.email, ada.password, newAddress())).status).toBe(201);
    expect((await signIn(ben.email, ben.password, address)).status).toBe(201);
  });

  it('is counted for unknown e-mail addresses as for those of users', async () => {
    const address = newAddress();
    const statuses = await repeat(7, () => guess('nobody@example.com', address));
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });

  it('is counted for deactivated users, even with their right password', async () => {
    const { id, email, password } = await newUser();
    await latchkey.admin.put(`/v1/users/${id}`, { state: 'deactivated' });
    const address = newAddress();
    const statuses = await repeat(6, async () => (await signIn(email, password, address)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('no longer counts after a successful sign-in to the same account from the same address', async () => {
    const { email, password } = await newUser();
    const address = newAddress();
    for (let round = 0; round < 3; round += 1) {
      expect(await repeat(4, () => guess(email, address))).toEqual([401, 401, 401, 401]);
      expect((await signIn(email, password, address)).status).toBe(201);
    }
    expect(await repeat(6, () => guess(email, address))).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('is counted before passwords are compared: concurrent guesses count as well', async () => {
    const { email } = await newUser();
    const address = newAddress();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        signIn(email, 'not the password', address, index % 2 ? latchkey : replica),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(15);
  });

  it('is counted across processes that share a database', async () => {
    const { email, password } = await newUser();
    const address = newAddress();
    expect(await repeat(5, (round) => guess(email, address, round % 2 ? latchkey : replica))).toEqual([
      401, 401, 401, 401, 401,
    ]);
    expect((await signIn(email, password, address, latchkey)).status).toBe(429);
    expect((await signIn(email, password, address, replica)).status).toBe(429);
  });

  it('from one address is blocked after 50 failures, whatever the accounts', async () => {
    const { email, password } = await newUser();
    const address = newAddress();
    expect(new Set(await repeat(50, (round) => guess(`nobody${round}@example.com`, address)))).toEqual(new Set([401]));
    const refused = await signIn(email, password, address);
    expect(refused).toMatchObject({ status: 429, body: { retryAfterSeconds: 900 } });
    expect((await signIn(email, password, newAddress())).status).toBe(201);
    latchkey.clock.advance(15 * MINUTE_MS);
    expect((await signIn(email, password, address)).status).toBe(201);
  });

  it('is not counted for successful sign-ins, however many come from one address', async () => {
    const { email, password } = await newUser();
    const address = newAddress();
    expect(new Set(await repeat(55, async () => (await signIn(email, password, address)).status))).toEqual(
      new Set([201]),
    );
  });

  it('still counts for an address after a successful sign-in to another account from it', async () => {
    const { email, password } = await newUser();
    const address = newAddress();
    const guessesBetween = size('security', 7, 1);
    let guesses = 0;
    for (; guesses < 60; guesses += 1) {
      const answer = await signIn(`nobody${guesses}@example.com`, 'not the password', address);
      if (answer.status === 429) {
        break;
      }
      if (guesses % guessesBetween === 0) {
        await signIn(email, password, address);
      }
    }
    expect(guesses).toBe(50);
  });

  it('is counted for an IPv6 network as for one address', async () => {
    const { email } = await newUser();
    expect(await repeat(6, (round) => guess(email, `2001:db8:7:7::${round + 1}`))).toEqual([
      401, 401, 401, 401, 401, 429,
    ]);
    expect(await guess(email, '2001:db8:7:8::1')).toBe(401);
    const other = await newUser();
    expect(await repeat(5, () => guess(other.email, '203.0.113.99'))).toEqual([401, 401, 401, 401, 401]);
    expect(await guess(other.email, '::ffff:203.0.113.99')).toBe(429);
  });

  it('from many addresses blocks an account after 100 failures, except at addresses where its user signed in recently', async () => {
    const { email, password } = await newUser();
    const [home, office] = [newAddress(), newAddress()];
    expect((await signIn(email, password, office)).status).toBe(201);
    latchkey.clock.advance(10 * DAY_MS);
    expect((await signIn(email, password, home)).status).toBe(201);
    latchkey.clock.advance(20 * DAY_MS);
    // The office was trusted for 30 days, until now. The home still is.
    for (let round = 0; round < 20; round += 1) {
      const address = newAddress();
      expect(await repeat(5, () => guess(email, address))).toEqual([401, 401, 401, 401, 401]);
    }
    expect((await signIn(email, password, newAddress())).status).toBe(429);
    expect((await signIn(email, password, office)).status).toBe(429);
    expect((await signIn(email, password, home)).status).toBe(201);
    expect(await repeat(6, () => guess(email, home))).toEqual([401, 401, 401, 401, 401, 429]);
    latchkey.clock.advance(15 * MINUTE_MS);
    expect((await signIn(email, password, office)).status).toBe(201);
  });

  it('no longer counts for an account after an admin sets a new password, and still counts for other accounts', async () => {
    const { SignInThrottle } = await import('../../src/users/sign-in/sign-in-throttle.js');
    const throttle = latchkey.get(SignInThrottle);
    const [ada, ben] = [await newUser(), await newUser()];
    /** Fails as a guess does, but without its request and hash. */
    const fail = async (address: string): Promise<void> => {
      const attempt = await throttle.admit({ emailKey: ada.email, userId: ada.id, address });
      await throttle.judge(attempt, () => Promise.resolve(undefined));
    };
    const overHttp = size('security', 2, 20);
    const addresses = await repeat(20, async (round) => {
      const address = newAddress();
      await repeat<unknown>(5, () => (round < overHttp ? guess(ada.email, address) : fail(address)));
      return address;
    });
    const shared = addresses[0]!;
    expect(await repeat(6, () => guess(ben.email, shared))).toEqual([401, 401, 401, 401, 401, 429]);
    // The account is locked for all addresses, and so is each of these addresses.
    expect((await signIn(ada.email, ada.password, newAddress())).status).toBe(429);
    const newPassword = 'another one, set by an admin';
    expect((await latchkey.admin.put(`/v1/users/${ada.id}/password`, { newPassword })).status).toBe(204);
    for (const address of [newAddress(), shared, addresses.at(-1)!]) {
      expect((await signIn(ada.email, newPassword, address)).status).toBe(201);
    }
    expect((await signIn(ben.email, ben.password, shared)).status).toBe(429);
    // Guesses at the new password count from zero.
    expect(await repeat(6, () => guess(ada.email, shared))).toEqual([401, 401, 401, 401, 401, 429]);
  });

  it('is not counted once it is blocked: a single address cannot block an account for other addresses', async () => {
    const { email, password } = await newUser();
    const address = newAddress();
    // A hundred that counted would be enough.
    await repeat(size('security', 101, 120), () => guess(email, address));
    expect((await signIn(email, password, newAddress())).status).toBe(201);
  });

  it('is refused for one second only, with the reason, while five other sign-ins are being compared', async () => {
    const { SignInThrottle } = await import('../../src/users/sign-in/sign-in-throttle.js');
    const throttle = latchkey.get(SignInThrottle);
    const { id, email, password } = await newUser();
    const address = newAddress();
    /** Starts five sign-ins whose comparison waits for the test to decide its result. */
    const compareFive = async (): Promise<(user: { id: number } | undefined) => Promise<unknown>> => {
      let end = (_user: { id: number } | undefined): void => undefined;
      const compared = new Promise<{ id: number } | undefined>((resolve) => (end = resolve));
      const judging: Promise<unknown>[] = [];
      await repeat(5, async () => {
        const attempt = await throttle.admit({ emailKey: email, userId: id, address });
        await new Promise<void>((begun) => {
          judging.push(throttle.judge(attempt, () => (begun(), compared)));
        });
      });
      return (user) => {
        end(user);
        return Promise.all(judging);
      };
    };
    const endWell = await compareFive();
    const refused = await signIn(email, password, address);
    expect(refused).toMatchObject({ status: 429, body: { code: 'too-many-attempts', retryAfterSeconds: 1 } });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.body.detail).toContain('are being checked at once');
    await endWell({ id });
    expect((await signIn(email, password, address)).status).toBe(201);
    const endBadly = await compareFive();
    expect((await signIn(email, password, address)).body.retryAfterSeconds).toBe(1);
    await endBadly(undefined);
    expect((await signIn(email, password, address)).body.retryAfterSeconds).toBe(900);
  });

  it('leaves rows that are deleted in batches once they have expired, and not before', async () => {
    const { TransactionRunner } = await import('../../src/database/transactions/transaction-runner.js');
    const { SignInThrottle } = await import('../../src/users/sign-in/sign-in-throttle.js');
    const { SignInAddress, SignInAttempt } = await import('../../src/users/sign-in/sign-in-attempt.entity.js');
    const transactions = latchkey.get(TransactionRunner);
    const now = latchkey.clock.now();
    const expired = size('security', 600, 1500);
    const expires = (round: number): number => (round < expired ? now - (round % 2) : now + 1);
    await transactions.inTransaction(async (tx) => {
      for (let start = 0; start < expired + 100; start += 100) {
        const rounds = Array.from({ length: 100 }, (_, index) => start + index);
        await tx.insert(
          SignInAddress,
          rounds.map((round) => ({ userId: 1000 + (round % 7), address: `a${round}`, expires: expires(round) })),
        );
        await tx.insert(
          SignInAttempt,
          rounds.map((round) => ({ counter: `c${round}`, amount: 1, expires: expires(round) })),
        );
      }
    });
    const inTransaction = transactions.inTransaction.bind(transactions);
    const left = (): Promise<[number, number]> =>
      inTransaction(async (tx) => [await tx.count(SignInAddress), await tx.count(SignInAttempt)]);
    const before = await left();
    const steps = [before];
    jest.spyOn(transactions, 'inTransaction').mockImplementation(async (work) => {
      const result = await inTransaction(work);
      steps.push(await left());
      return result;
    });
    await latchkey.get(SignInThrottle).purge();
    const gone = steps
      .slice(1)
      .map(([addresses, attempts], step) => [steps[step]![0] - addresses, steps[step]![1] - attempts]);
    expect(Math.max(...gone.flat())).toBeLessThanOrEqual(250);
    const [addresses, attempts] = await left();
    expect(before[0] - addresses).toBeGreaterThanOrEqual(expired);
    expect(before[1] - attempts).toBeGreaterThanOrEqual(expired);
    expect([addresses, attempts].every((amount) => amount >= 100)).toBe(true);
  });

  it('leaves no row or log line with the typed address, and no row at all after it has expired', async () => {
    const { ExpiredRows } = await import('../../src/sessions/expired-rows.js');
    const { SignInAttempt, SignInAddress } = await import('../../src/users/sign-in/sign-in-attempt.entity.js');
    const { getRepositoryToken } = await import('@nestjs/typeorm');
    const rowsOf = async (entity: object): Promise<string> => {
      const rows = latchkey.get<{ find(): Promise<object[]> }>(getRepositoryToken(entity as never) as never);
      return JSON.stringify(await rows.find());
    };
    await guess('my.password.typed@the.wrong.place', newAddress());
    expect(await rowsOf(SignInAttempt)).not.toMatch(/wrong|typed/);
    expect(latchkey.log()).not.toMatch(/typed@|the\.wrong\.place/);
    latchkey.clock.advance(31 * DAY_MS);
    await latchkey.get(ExpiredRows).purge();
    expect(await rowsOf(SignInAttempt)).toBe('[]');
    expect(await rowsOf(SignInAddress)).toBe('[]');
  });
});

describe('without a trusted proxy', () => {
  let latchkey: Latchkey;
  beforeAll(async () => {
    latchkey = await startLatchkey();
  });
  afterAll(() => latchkey.close());

  it('a client gets no further guesses by claiming other addresses', async () => {
    const statuses: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      const body = { email: 'nobody@example.com', password: 'not the password' };
      const headers = { 'x-forwarded-for': `203.0.113.${round}`, forwarded: `for=203.0.113.${round}` };
      statuses.push((await latchkey.anonymous.post('/v1/sessions', body, headers)).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  });
});
