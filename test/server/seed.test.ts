import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import type { ApiKeyView } from '../../src/api-keys/api-keys.dto.js';
import { Client } from '../support/client.js';
import { createDatabase, type TestDatabase } from '../support/harness.js';
import { startServer } from '../support/process.js';
import { readTables } from '../support/sql.js';

// The seed goes through two months.
jest.setTimeout(300_000);

const ROOT = join(import.meta.dirname, '../..');

describe('npm run seed', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  const seed = (): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, ['scripts/seed.mjs'], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, DATABASE_URL: database.url },
    });

  test('fills an empty database with 40 keys in all states, and 30 days of usage', async () => {
    const { stdout } = await seed();
    const [, email = '', password = ''] = /as (\S+) with the password "(.+?)"/.exec(stdout)!;
    const [, key = ''] = /A key that works: (\S+)/.exec(stdout)!;
    const server = await startServer({ DATABASE_URL: database.url, ADMIN_EMAIL: '', ADMIN_PASSWORD: '' });
    try {
      const unauthenticated = new Client(server.url, undefined, new Set());
      const session = await unauthenticated.post<{ token: string }>('/v1/sessions', { email, password });
      const admin = new Client(server.url, `Bearer ${session.body.token}`, new Set());
      const { body } = await admin.get<{ data: ApiKeyView[] }>('/v1/api_keys?pageSize=100');
      const states = body.data.map(({ state }) => state);
      const count = (wanted: string): number => states.filter((state) => state === wanted).length;
      expect(states).toHaveLength(40);
      expect(Object.fromEntries([...new Set(states)].map((state) => [state, count(state)]))).toEqual({
        ...{ valid: 22, 'expires-soon': 4, expired: 5, invalid: 9 },
      });
      const reasons = new Set(
        body.data.filter(({ state }) => state === 'invalid').map(({ stateReason }) => stateReason),
      );
      expect([...reasons].sort()).toEqual(['creator-deactivated', 'creator-deleted', 'no-application-left']);

      const importer = body.data.find(({ name }) => name === 'Coupon importer')!;
      const usage = await admin.get<{ data: { day: string }[] }>(`/v1/api_keys/${importer.id}/usage?pageSize=1000`);
      expect(new Set(usage.body.data.map(({ day }) => day)).size).toBeGreaterThanOrEqual(28);

      const developer = new Client(server.url, `ManagementKey-v1 ${key}`, new Set());
      const [application] = (await admin.get<{ data: { id: number }[] }>('/v1/applications')).body.data;
      const campaigns = await developer.get<{ data: unknown[] }>(`/v1/applications/${application!.id}/campaigns`);
      expect([campaigns.status, campaigns.body.data.length]).toEqual([200, 3]);
    } finally {
      await server.stop();
    }
  });

  test('refuses a database that has data, and changes nothing', async () => {
    const before = JSON.stringify(await readTables(database));
    await expect(seed()).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('an empty database only') });
    expect(JSON.stringify(await readTables(database)) === before).toBe(true);
  });
});
