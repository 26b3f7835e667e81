import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import mysql from 'mysql2/promise';
import { mintSecret } from '../../src/access/secret.js';
import { Application } from '../../src/applications/application.entity.js';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import { DecisionReader } from '../../src/database/reading/decision-reader.js';
import { CAMPAIGNS, createApplication, createKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { size } from '../support/size.js';

const onMysql = process.env.TEST_MYSQL_URL ? describe : describe.skip;
const testOnSqlite = process.env.TEST_MYSQL_URL ? test.skip : test;

/** Returns an Application as the database stores it. */
const applicationOf = (name: string): Omit<Application, 'id'> => ({
  created: 0,
  modified: 0,
  name,
  nameKey: name.toLowerCase(),
  description: '',
  timezone: 'Europe/Berlin',
  currency: 'EUR',
  attributes: {},
});

describe('the database', () => {
  let latchkey: Latchkey;

  beforeAll(async () => {
    // Hundreds of calls at once wait long for a connection on a busy machine.
    latchkey = await startLatchkey({ DATABASE_WAIT_MS: '60000' });
  });
  afterAll(() => latchkey.close());

  test('a deletion that was answered is not undone when another request rolls back', async () => {
    const applicationId = await createApplication(latchkey.admin);
    const key = await createKey(latchkey.admin);
    let begun = (): void => {};
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const other = latchkey.get(TransactionRunner).inTransaction(async (tx) => {
      await tx.query("UPDATE applications SET description = 'half-done' WHERE id = " + applicationId);
      begun();
      await released;
      throw new Error('rolled back');
    });
    await hasBegun;
    const deletion = latchkey.admin.delete(`/v1/api_keys/${key.id}`);
    // On MySQL the deletion does not wait for the other transaction. On SQLite it must.
    await Promise.race([deletion, new Promise((resolve) => setImmediate(resolve))]);
    release();
    await expect(other).rejects.toThrow('rolled back');
    expect((await deletion).status).toBe(204);
    const caller = latchkey.as(`ManagementKey-v1 ${key.key}`);
    expect((await caller.get(`/v1/applications/${applicationId}/campaigns`)).status).toBe(401);
    expect(
      (await latchkey.admin.get<{ description: string }>(`/v1/applications/${applicationId}`)).body.description,
    ).not.toBe('half-done');
  });

  test('no other request sees an unfinished transaction', async () => {
    const before = (await latchkey.admin.get<{ totalResultSize: number }>('/v1/changes?withTotalResultSize=true')).body;
    await expect(
      latchkey.get(TransactionRunner).inTransaction(async (tx) => {
        await tx.query('DELETE FROM changes');
        const during = (await latchkey.admin.get('/v1/changes?withTotalResultSize=true')).body;
        expect(during).toEqual(before);
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
  });

  test('a key with 400 Applications has all of them', async () => {
    const ids = await latchkey.get(TransactionRunner).inTransaction(async (tx) => {
      const rows = Array.from({ length: 400 }, (_, number) => applicationOf(`One of many ${number}`));
      const { identifiers } = await tx.insert(Application, rows);
      return identifiers.map(({ id }) => id as number);
    });
    const key = await createKey(latchkey.admin, { allowedApplicationIds: ids });
    expect(key.allowedApplicationIds).toEqual(ids);
    const caller = latchkey.as(`ManagementKey-v1 ${key.key}`);
    const statuses = await Promise.all(
      ids.map(async (id) => (await caller.get(`/v1/applications/${id}/campaigns`)).status),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  test('calls that come together share their reads', async () => {
    const applicationId = await createApplication(latchkey.admin);
    const keys = await Promise.all(
      Array.from({ length: 20 }, () => createKey(latchkey.admin, { endpoints: [CAMPAIGNS] })),
    );
    const reader = latchkey.get(DecisionReader);
    const call = (): Promise<{ status: number }[]> =>
      Promise.all(
        keys.flatMap(({ key }) =>
          Array.from({ length: 5 }, () =>
            latchkey.as(`ManagementKey-v1 ${key}`).get(`/v1/applications/${applicationId}/campaigns`),
          ),
        ),
      );
    await call();
    const before = reader.statementCount;
    const answers = await call();
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(reader.statementCount - before).toBeLessThan(100);
  });

  test('hundreds of calls at once are each answered for their own key', async () => {
    const applicationId = await createApplication(latchkey.admin);
    const path = `/v1/applications/${applicationId}/campaigns`;
    const made = await Promise.all(Array.from({ length: 20 }, () => createKey(latchkey.admin)));
    const statusOf = async (key: string): Promise<number> =>
      (await latchkey.as(`ManagementKey-v1 ${key}`).get(path)).status;
    // Needs more than one statement, and contains the good keys.
    const count = size('scale', 600, 1200);
    const isGood = (nth: number): boolean => nth % (count / made.length) === 0;
    const good = made.map(({ key }) => key);
    const keys = Array.from({ length: count }, (_, nth) => (isGood(nth) ? good.pop()! : mintSecret('lkm_')));
    const statuses = await Promise.all(keys.map(statusOf));
    expect(statuses).toEqual(keys.map((_, nth) => (isGood(nth) ? 200 : 401)));
  });

  testOnSqlite('is in files that only their owner can open', async () => {
    await createApplication(latchkey.admin);
    const folder = dirname(latchkey.database.url.slice('sqlite:'.length));
    const modes = readdirSync(folder).map((file) => [file, statSync(join(folder, file)).mode & 0o777]);
    expect(Object.fromEntries(modes)).toEqual({
      'latchkey.sqlite': 0o600,
      'latchkey.sqlite-shm': 0o600,
      'latchkey.sqlite-wal': 0o600,
      'latchkey.sqlite.lock': 0o600,
      'latchkey.sqlite.urgent': 0o600,
    });
  });

  onMysql('with autocommit off by default on the server', () => {
    let server: mysql.Connection;

    beforeAll(async () => {
      server = await mysql.createConnection(process.env.TEST_MYSQL_URL!);
      await server.query('SET GLOBAL autocommit = 0');
    });
    afterAll(async () => {
      await server.query('SET GLOBAL autocommit = 1');
      await server.end();
    });

    test('an answered deletion is seen at once all the same', async () => {
      const other = await startLatchkey();
      try {
        const applicationId = await createApplication(other.admin);
        for (let round = 0; round < 10; round += 1) {
          const key = await createKey(other.admin);
          const caller = other.as(`ManagementKey-v1 ${key.key}`);
          const path = `/v1/applications/${applicationId}/campaigns`;
          expect((await caller.get(path)).status).toBe(200);
          expect((await other.admin.delete(`/v1/api_keys/${key.id}`)).status).toBe(204);
          const statuses = await Promise.all(Array.from({ length: 10 }, async () => (await caller.get(path)).status));
          expect(new Set(statuses)).toEqual(new Set([401]));
        }
      } finally {
        await other.close();
      }
    });
  });
});
