import { runInThisContext } from 'node:vm';
import { jest } from '@jest/globals';
import { UsageRecorder } from '../../src/api-keys/usage/usage-recorder.js';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import { CAMPAIGNS, createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import type { Answer, Client } from '../support/client.js';
import { sendRaw } from '../support/raw-http.js';
import { size } from '../support/size.js';
import { APPLICATIONS, summary, usageOf, usageOnce, WRITTEN_MS } from './usage-fixtures.js';

const USERS = { method: 'GET', path: '/v1/users' };

/** The product runs outside jest's VM, and so do its timers. */
const PRODUCT = runInThisContext('globalThis') as typeof globalThis;

describe('the usage of a key', () => {
  let latchkey: Latchkey;
  let one: number;
  let two: number;

  beforeAll(async () => {
    latchkey = await startLatchkey({ SESSION_LIFETIME_HOURS: '8760' });
    one = await createApplication(latchkey.admin);
    two = await createApplication(latchkey.admin);
  });
  afterAll(() => latchkey.close());

  const times = async (count: number, call: () => Promise<Answer>): Promise<void> => {
    for (let done = 0; done < count; done += 1) {
      await call();
    }
  };
  const callerWith = (key: MadeKey): Client => latchkey.as(`ManagementKey-v1 ${key.key}`);

  test('does not delay the deletion of the key, and is purged afterwards, including late counters', async () => {
    // Entities depend on the engine that is known when they are imported.
    const { ApiKeyUsage } = await import('../../src/api-keys/usage/api-key-usage.entity.js');
    const { UsagePurge } = await import('../../src/api-keys/usage/usage-purge.js');
    const transactions = latchkey.get(TransactionRunner);
    const day = Math.floor(latchkey.clock.now() / 86_400_000);
    const count = async (apiKeyId: number, from: number, to: number): Promise<void> => {
      for (let start = from; start < to; start += 500) {
        const rows = Array.from({ length: Math.min(500, to - start) }, (_, nth) => ({
          apiKeyId,
          counter: `counter ${start + nth}`,
          day,
          service: 'management',
          method: 'GET',
          path: '/v1/users',
          applicationId: null,
          outcome: 'allowed',
          amount: 1,
          lastUsed: latchkey.clock.now(),
        }));
        await transactions.inTransaction((tx) => tx.insert(ApiKeyUsage, rows));
      }
    };
    const counted = (id: number): Promise<number> =>
      transactions.inTransaction((tx) => tx.countBy(ApiKeyUsage, { apiKeyId: id }));
    const [gone, staying] = [await createKey(latchkey.admin), await createKey(latchkey.admin)];
    await count(gone.id, 0, 3000);
    await count(staying.id, 0, 10);
    expect((await latchkey.admin.delete(`/v1/api_keys/${gone.id}`)).status).toBe(204);
    // The deletion must not wait for rows that it does not touch.
    expect(await counted(gone.id)).toBe(3000);
    await count(gone.id, 3000, 3001);
    await latchkey.get(UsagePurge).purge();
    expect([await counted(gone.id), await counted(staying.id)]).toEqual([0, 10]);
  });

  test('is counted by endpoint, Application and outcome, for routes, forward auth and verifications', async () => {
    await latchkey.admin.put('/v1/services/billing', {
      name: 'Billing',
      openapi: { openapi: '3.1.0', paths: { '/invoices': { get: {}, post: {} } } },
    });
    const key = await createKey(latchkey.admin, {
      endpoints: [CAMPAIGNS, APPLICATIONS, USERS, { service: 'billing', method: 'GET', path: '/invoices' }],
    });
    expect(key.lastUsed).toBeNull();
    const caller = callerWith(key);
    // The next use of a key starts a timer.
    await latchkey.get(UsageRecorder).flush();
    const timers = jest.spyOn(PRODUCT, 'setTimeout');
    await times(3, () => caller.get(`/v1/applications/${one}/campaigns`));
    await times(2, () => caller.get(`/v1/applications/${two}/campaigns`));
    await times(1, () => caller.get('/v1/applications'));
    await times(2, () => caller.post('/v1/users/activate', { email: 'x@example.com' }));
    const ask = (method: string): Promise<unknown> =>
      sendRaw(latchkey.url, method, '/v1/forward_auth/envoy/billing/invoices', [
        ['Authorization', caller.authorization!],
      ]);
    await Promise.all([ask('GET'), ask('GET'), ask('POST'), ask('DELETE')]);
    await latchkey.admin.post('/v1/verifications', {
      key: key.key,
      service: 'billing',
      method: 'GET',
      path: '/invoices',
    });
    const writing = timers.mock.calls.filter(([work]) => String(work).includes('this.flush()'));
    timers.mockRestore();
    expect(writing).toHaveLength(1);
    // `server/replicas.test.ts` waits for the timer instead.
    const [write, delay] = writing[0]!;
    expect(delay).toBeLessThan(WRITTEN_MS);
    write();
    const usage = await usageOnce(latchkey.admin, key, 13);
    expect(usage).toMatchObject({ from: '2026-10-25', to: '2026-11-23', totalResultSize: 7 });
    expect(usage.data.every(({ day }) => day === '2026-11-23')).toBe(true);
    expect(usage.data.every(({ lastUsed }) => lastUsed === '2026-11-23T12:00:00.000Z')).toBe(true);
    expect(summary(usage)).toEqual(
      expect.arrayContaining([
        ['management GET /v1/applications/{applicationId}/campaigns', one, 'allowed', 3],
        ['management GET /v1/applications/{applicationId}/campaigns', two, 'allowed', 2],
        ['management GET /v1/applications', null, 'allowed', 1],
        ['management POST /v1/users/activate', null, 'endpoint-not-allowed', 2],
        ['billing GET /invoices', null, 'allowed', 3],
        ['billing POST /invoices', null, 'endpoint-not-allowed', 1],
        ['', null, 'endpoint-unknown', 1],
      ]),
    );
    expect(usage.neverUsed).toEqual([{ service: 'management', ...USERS }]);
    const { body } = await latchkey.admin.get<MadeKey>(`/v1/api_keys/${key.id}`);
    expect(body.lastUsed).toBe('2026-11-23T12:00:00.000Z');
  });

  test('is counted by day, and shown for the requested days', async () => {
    const key = await createKey(latchkey.admin, { endpoints: [APPLICATIONS] });
    const caller = callerWith(key);
    const start = latchkey.clock.now();
    await times(2, () => caller.get('/v1/applications'));
    latchkey.clock.set('2026-11-24T00:00:00.000Z');
    await times(3, () => caller.get('/v1/applications'));
    await latchkey.get(UsageRecorder).flush();
    const amounts = async (query: string): Promise<[string, number][]> =>
      (await usageOf(latchkey.admin, key, query)).data.map(({ day, amount }) => [day, amount]);
    expect(await amounts('')).toEqual([
      ['2026-11-24', 3],
      ['2026-11-23', 2],
    ]);
    expect(await amounts('?from=2026-11-24')).toEqual([['2026-11-24', 3]]);
    expect(await amounts('?from=2026-11-01&to=2026-11-23')).toEqual([['2026-11-23', 2]]);
    expect(await amounts('?to=2026-11-22')).toEqual([]);
    expect(await amounts('?sort=day')).toEqual((await amounts('?sort=-day')).toReversed());
    expect(await amounts('?sort=-day')).toEqual(await amounts(''));
    expect(await amounts('?pageSize=1&skip=1')).toEqual([['2026-11-23', 2]]);
    // Usage on any day counts, not only in the requested period.
    expect((await usageOf(latchkey.admin, key, '?to=2026-11-22')).neverUsed).toEqual([]);
    latchkey.clock.set(start);
  });

  test('includes refusals of an expired key, which do not change when it was last used', async () => {
    const key = await createKey(latchkey.admin, {
      endpoints: [APPLICATIONS],
      expiryDate: new Date(latchkey.clock.now() + 1000).toISOString(),
    });
    latchkey.clock.advance(1000);
    await callerWith(key).get('/v1/applications');
    await latchkey.get(UsageRecorder).flush();
    const usage = await usageOf(latchkey.admin, key);
    expect(summary(usage)).toEqual([['', null, 'expired', 1]]);
    expect(usage.neverUsed).toHaveLength(1);
    const { body } = await latchkey.admin.get<MadeKey>(`/v1/api_keys/${key.id}`);
    expect(body.lastUsed).toBeNull();
  });

  test('has a limited number of counters for each key', async () => {
    const key = await createKey(latchkey.admin, { endpoints: [CAMPAIGNS] });
    const total = 1100;
    const overHttp = size('security', 200, total);
    for (let id = 1; id <= total - overHttp; id += 1) {
      latchkey.get(UsageRecorder).record(key.id, { service: 'management', ...CAMPAIGNS }, id, 'allowed');
    }
    for (let start = total - overHttp; start < total; start += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          latchkey.admin.post('/v1/verifications', {
            key: key.key,
            method: 'GET',
            path: `/v1/applications/${start + index + 1}/campaigns`,
          }),
        ),
      );
    }
    await latchkey.get(UsageRecorder).flush();
    const usage = await usageOf(latchkey.admin, key, '?pageSize=1000');
    expect(usage.totalResultSize).toBe(1001);
    expect(usage.neverUsed).toEqual([]);
  });

  test.each([
    '?from=2026-13-01',
    '?to=2026-02-30',
    '?from=yesterday',
    '?from=2026-11-24&to=2026-11-23',
    '?from=2020-01-01',
  ])('is refused for an invalid period: %s', async (query) => {
    const key = await createKey(latchkey.admin);
    const { status, body } = await latchkey.admin.get(`/v1/api_keys/${key.id}/usage${query}`);
    expect({ status, body }).toMatchObject({ status: 400, body: { code: 'validation-failed' } });
  });

  test('is not found if the key does not exist', async () => {
    const { status, body } = await latchkey.admin.get('/v1/api_keys/2147483647/usage');
    expect({ status, body }).toMatchObject({ status: 404, body: { code: 'api-key-not-found' } });
  });
});

describe('the usage counters of several processes', () => {
  test('add up, and each process writes its own before it shuts down', async () => {
    const first = await startLatchkey();
    try {
      const key = await createKey(first.admin, { endpoints: [APPLICATIONS], expiryDate: '2099-01-01' });
      const ending = [await startLatchkey({}, { original: first }), await startLatchkey({}, { original: first })];
      for (const replica of ending) {
        const caller = replica.as(`ManagementKey-v1 ${key.key}`);
        await Promise.all(Array.from({ length: 20 }, () => caller.get('/v1/applications')));
      }
      for (const replica of ending) {
        await replica.close();
      }
      const usage = await usageOf(first.admin, key);
      expect(summary(usage)).toEqual([['management GET /v1/applications', null, 'allowed', 40]]);
    } finally {
      await first.close();
    }
  });
});
