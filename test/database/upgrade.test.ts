import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import '../../src/app.module.js';
import { readConfig } from '../../src/config/config.js';
import { connect, migratingOptions } from '../../src/database/data-source.js';
import { MIGRATIONS } from '../../src/database/migrations/migrations.js';
import { Client, type ProblemBody } from '../support/client.js';
import { CAMPAIGNS, createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { createDatabase, type TestDatabase } from '../support/harness.js';
import { runToEnd, type ServerProcess, startServer } from '../support/process.js';
import { readTables, type Row, runScript, runSql } from '../support/sql.js';

// Each of these starts several processes.
jest.setTimeout(180_000);

/*
 * The first release created this database, with some rows of each kind. Its SQL is frozen in test/upgrade and
 * independent of today's entities and migrations. All later migrations run on it here.
 */
const UPGRADE = new URL('../upgrade/', import.meta.url);

/** Secrets that the first release issued. Their checksums are valid, and the rest was invented for tests. */
const SECRETS = JSON.parse(readFileSync(new URL('first-release-secrets.json', UPGRADE), 'utf8')) as Record<
  'limited' | 'wide' | 'deleted' | 'ofDeactivated' | 'adaSession' | 'graceSession',
  string
>;
const ADA = { email: 'ada@example.com', password: 'correct horse battery' };
const [SHOP, OUTLET] = [1, 2];

async function createFirstRelease(): Promise<TestDatabase> {
  const database = await createDatabase();
  for (const file of [`first-release.${database.engine}.sql`, 'first-release-data.sql']) {
    await runScript(database, readFileSync(new URL(file, UPGRADE), 'utf8'));
  }
  return database;
}

describe('a database of the first release', () => {
  let database: TestDatabase;
  let before: Record<string, Row[]>;
  let servers: ServerProcess[] = [];
  let server: ServerProcess;

  beforeAll(async () => {
    database = await createFirstRelease();
    before = await readTables(database);
    const environment = { DATABASE_URL: database.url, ADMIN_EMAIL: '', ADMIN_PASSWORD: '' };
    servers = await Promise.all(Array.from({ length: 3 }, () => startServer(environment)));
    server = servers[0]!;
  });
  afterAll(async () => {
    await Promise.all(servers.map((one) => one.stop()));
    await database.drop();
  });

  const as = ({ url }: ServerProcess, authorization?: string): Client => new Client(url, authorization, new Set());
  const withKey = (name: keyof typeof SECRETS): Client => as(server, `ManagementKey-v1 ${SECRETS[name]}`);

  test('has rows in every table, so that the upgrade of each table is tested', () => {
    expect(Object.keys(before).length).toBeGreaterThan(16);
    expect(Object.entries(before).filter(([, rows]) => rows.length === 0)).toEqual([]);
  });

  test('is upgraded by three processes that start at once and all serve', async () => {
    for (const replica of servers) {
      expect(await as(replica).get('/health/ready')).toMatchObject({ status: 200 });
      expect(replica.output()).not.toMatch(/"level":"(error|warn)"/);
    }
    const recorded = (await runSql(database, 'SELECT name FROM migrations')) as { name: string }[];
    expect(new Set(recorded.map(({ name }) => name)).size).toBe(recorded.length);
  });

  test('has the schema of a new database after the upgrade', async () => {
    const dataSource = await connect(migratingOptions(readConfig({ DATABASE_URL: database.url }), MIGRATIONS));
    try {
      const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
      expect(upQueries.map(({ query }) => query)).toEqual([]);
    } finally {
      await dataSource.destroy();
    }
  });

  test('gives the same decisions about its keys', async () => {
    const campaigns = (application: number) => `/v1/applications/${application}/campaigns`;
    const outcome = async (key: keyof typeof SECRETS, path: string): Promise<string> => {
      const { status, body } = await withKey(key).get<ProblemBody>(path);
      return status === 200 ? 'allowed' : `${status} ${body.code}`;
    };
    expect({
      limited: await outcome('limited', campaigns(SHOP)),
      limitedElsewhere: await outcome('limited', campaigns(OUTLET)),
      limitedToEndpoints: await outcome('limited', '/v1/changes'),
      wide: await outcome('wide', campaigns(OUTLET)),
      deleted: await outcome('deleted', campaigns(SHOP)),
      ofDeactivated: await outcome('ofDeactivated', campaigns(SHOP)),
    }).toEqual({
      limited: 'allowed',
      limitedElsewhere: '403 application-not-allowed',
      limitedToEndpoints: '403 endpoint-not-allowed',
      wide: 'allowed',
      deleted: '401 unknown',
      ofDeactivated: '401 creator-deactivated',
    });
    const verify = async (path: string): Promise<unknown> => {
      const question = { key: SECRETS.wide, service: 'billing', method: 'GET', path };
      return (await withKey('wide').post<{ code: string }>('/v1/verifications', question)).body.code;
    };
    expect(await verify('/v1/applications/7/invoices')).toBe('valid');
    expect(await verify('/v1/invoices/7')).toBe('endpoint-not-allowed');
    const ada = as(server, `Bearer ${SECRETS.adaSession}`);
    const { body: wide } = await ada.get<MadeKey>('/v1/api_keys/2');
    expect(wide.endpoints.map(({ gone, changed }) => ({ gone, changed }))).toEqual(
      Array(4).fill({ gone: false, changed: false }),
    );
    // An ungrantable operation beside an endpoint must still be known.
    expect(await verify('/v1/invoices/7:cancel')).not.toBe('valid');
  });

  test('accepts the same users and sessions, and refuses the others', async () => {
    expect(await as(server).post('/v1/sessions', ADA)).toMatchObject({ status: 201, body: { userId: 1 } });
    const grace = { email: 'grace@example.com', password: 'another password of hers' };
    expect((await as(server).post('/v1/sessions', grace)).status).toBe(401);
    expect((await as(server, `Bearer ${SECRETS.adaSession}`).get('/v1/sessions/current')).status).toBe(200);
    expect((await as(server, `Bearer ${SECRETS.graceSession}`).get('/v1/sessions/current')).status).toBe(401);
  });

  test('still returns all its data', async () => {
    const ada = as(server, `Bearer ${SECRETS.adaSession}`);
    const list = async <Item = Row>(path: string): Promise<Item[]> => (await ada.get<{ data: Item[] }>(path)).body.data;
    expect((await list('/v1/users')).map(({ email, state }) => [email, state])).toEqual([
      ['ada@example.com', 'active'],
      ['Grace@example.com', 'deactivated'],
      ['juergen@example.com', 'active'],
    ]);
    expect((await list('/v1/users'))[2]).toMatchObject({ name: 'Jürgen O\'Neill \\ "Jo"', isAdmin: false });
    expect(await list('/v1/applications')).toMatchObject([
      { id: SHOP, name: 'Größe & Söhne', description: 'It\'s a "shop" \\ with\nlines', attributes: { a: [1, 'é'] } },
      { id: OUTLET, name: 'Outlet', currency: 'USD' },
    ]);
    const keys = await list<MadeKey>('/v1/api_keys?sort=id');
    expect(keys).toMatchObject([
      { name: 'Coupon importer', state: 'valid', allowedApplicationIds: [SHOP], allApplications: false },
      { name: 'Everything', state: 'valid', allApplications: true, expiryDate: '2099-06-30T22:00:00.000Z' },
      { name: 'Made by Grace', disabled: true },
    ]);
    expect(keys[0]!.endpoints.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET ${CAMPAIGNS.path}`,
      `POST ${CAMPAIGNS.path}/{campaignId}/import_coupons`,
    ]);
    expect(keys[0]!.lastUsed).not.toBeNull();
    expect(keys[1]!.endpoints.map(({ service, gone }) => [service, gone])).toContainEqual(['billing', false]);
    const outcomes = (await list(`/v1/api_keys/${keys[0]!.id}/usage`)).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(expect.arrayContaining(['allowed', 'application-not-allowed']));
    expect((await list('/v1/services')).map(({ service }) => service)).toEqual(['billing']);
    const [campaign] = await list(`/v1/applications/${SHOP}/campaigns`);
    expect(campaign).toMatchObject({
      name: 'Spring sale',
      tags: ['Früh', 'sale'],
      startTime: '2026-03-01T00:00:00.000Z',
      attributes: { colour: 'grün' },
    });
    const coupons = await list(`/v1/applications/${SHOP}/campaigns/${String(campaign!.id)}/coupons/no_total`);
    expect(coupons.map(({ value }) => value)).toEqual(
      expect.arrayContaining(['SPRING-1', 'spring-1', 'ÜBER-2', expect.stringMatching(/^SUMMER-/)]),
    );
    expect(coupons.find(({ value }) => value === 'SPRING-1')).toMatchObject({
      usageLimit: 0,
      discountLimit: 12.35,
      recipientIntegrationId: 'customer-1',
      attributes: { a: 1 },
      expiryDate: '2099-01-01T00:00:00.000Z',
    });
    const exported = await ada.get<string>(`/v1/applications/${SHOP}/export_coupons`);
    expect(exported.body.trim().split('\n')).toHaveLength(1 + coupons.length);
  });

  test('keeps and continues its audit log, and assigns no id twice', async () => {
    const ada = as(server, `Bearer ${SECRETS.adaSession}`);
    const trail = async (): Promise<{ id: number; entity: string; managementKeyId?: number }[]> =>
      (await ada.get<{ data: [] }>('/v1/changes?pageSize=1000&sort=created')).body.data;
    const old = await trail();
    expect(old.map(({ entity }) => entity)).toEqual(
      expect.arrayContaining(['first start', 'POST /v1/users', 'DELETE /v1/api_keys/3', 'PUT /v1/services/billing']),
    );
    expect(old.filter(({ managementKeyId }) => managementKeyId === 1)).toHaveLength(1);

    const applicationId = await createApplication(ada, 'New');
    const made = await createKey(ada, { allowedApplicationIds: [applicationId], expiryDate: '2099-01-01' });
    const user = await ada.post<{ id: number }>('/v1/users', {
      name: 'New',
      email: 'gone@example.com',
      password: 'a password of the new one',
      isAdmin: false,
    });
    // The rows with the highest ids of the first release were deleted.
    expect([applicationId, made.id, user.body.id]).toEqual([4, 5, 5]);
    expect((await ada.get(`/v1/applications/${applicationId}/campaigns`)).status).toBe(200);
    const entities = (await trail()).slice(old.length).map(({ entity }) => entity);
    expect(entities).toEqual(['POST /v1/applications', 'POST /v1/api_keys', 'POST /v1/users']);
  });
});

describe('grants of the first release', () => {
  const grant = (position: number, service: string, path: string): string =>
    `INSERT INTO api_key_endpoints (api_key_id, position, service, method, path) VALUES (2, ${position}, '${service}', 'GET', '${path}')`;

  test('open after the upgrade only endpoints whose meaning is known to be unchanged', async () => {
    const database = await createFirstRelease();
    await runSql(database, grant(10, 'billing', '/v1/applications/{applicationId}/refunds'));
    await runSql(database, grant(11, 'removed', '/v1/users'));
    await runSql(database, grant(12, 'billing', '/v1/invoices/{id}'));
    const server = await startServer({ DATABASE_URL: database.url, ADMIN_EMAIL: '', ADMIN_PASSWORD: '' });
    try {
      const ada = new Client(server.url, `Bearer ${SECRETS.adaSession}`, new Set());
      const refunds = { '/v1/applications/{applicationId}/refunds': { get: {} }, '/v1/invoices/{id}': { get: {} } };
      const openapi = { openapi: '3.1.0', info: { title: 'Billing', version: '2' }, paths: refunds };
      const { body } = await ada.put<{ changedGrants: { data: object[] } }>('/v1/services/billing', {
        name: 'Billing',
        openapi,
      });
      // The endpoint was not in the document during the upgrade. So the parameter with which it was granted is unknown.
      expect(body.changedGrants.data).toMatchObject([
        {
          id: 2,
          path: '/v1/applications/{applicationId}/refunds',
          differences: [{ from: 'unknown' }, { from: 'unknown' }],
        },
      ]);
      const { body: wide } = await ada.get<MadeKey>('/v1/api_keys/2');
      expect(wide.endpoints.slice(-3).map(({ gone, changed }) => ({ gone, changed }))).toEqual([
        { gone: false, changed: true },
        { gone: true, changed: false },
        { gone: false, changed: false },
      ]);
      const withKey = new Client(server.url, `ManagementKey-v1 ${SECRETS.wide}`, new Set());
      expect((await withKey.get('/v1/users')).status).toBe(403);
    } finally {
      await server.stop();
      await database.drop();
    }
  });

  test('are upgraded even after an interrupted attempt', async () => {
    const database = await createFirstRelease();
    try {
      // MySQL cannot roll back a change of a table.
      await runSql(database, 'ALTER TABLE api_key_endpoints ADD COLUMN service_id integer NOT NULL DEFAULT 0');
      const server = await startServer({ DATABASE_URL: database.url, ADMIN_EMAIL: '', ADMIN_PASSWORD: '' });
      await server.stop();
      const rows = await runSql(
        database,
        'SELECT service_id, application_parameter FROM api_key_endpoints WHERE api_key_id = 2 ORDER BY position',
      );
      expect(rows).toEqual([
        { service_id: 0, application_parameter: 'applicationId' },
        { service_id: 0, application_parameter: '' },
        { service_id: 0, application_parameter: '' },
        { service_id: 1, application_parameter: 'applicationId' },
      ]);
    } finally {
      await database.drop();
    }
  });
});

describe('a later migration on a database of the first release', () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createFirstRelease();
    // Today's migrations run first.
    expect(await migrateWithToday()).toMatchObject({ code: 0 });
  });
  afterEach(() => database.drop());

  const migrateWithToday = async (): Promise<{ code: number | null }> => {
    const server = await startServer({ DATABASE_URL: database.url });
    return { code: await server.stop() };
  };

  /** Runs today's migrations and one more, in another process. */
  const migrateFurther = (environment: Record<string, string> = {}): Promise<{ code: number; stderr: string }> =>
    new Promise((resolve) => {
      const parameters = ['--no-warnings', fileURLToPath(new URL('migrate.mjs', UPGRADE))];
      const options = { env: { PATH: process.env.PATH, DATABASE_URL: database.url, ...environment }, timeout: 120_000 };
      const child = execFile(process.execPath, parameters, options, (_error, _stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, stderr }),
      );
    });

  /** Returns the earlier rows that are gone or changed, compared by the columns that they had then. */
  async function lossesSince(before: Record<string, Row[]>): Promise<string[]> {
    const after = await readTables(database);
    return Object.entries(before).flatMap(([table, rows]) => {
      const columns = Object.keys(rows[0] ?? {});
      const left = (after[table] ?? []).map((row) => JSON.stringify(columns.map((column) => row[column])));
      return rows
        .map((row) => JSON.stringify(columns.map((column) => row[column])))
        .filter((row) => !left.includes(row))
        .map((row) => `${table}: ${row}`);
    });
  }

  const isRecorded = async (): Promise<boolean> =>
    (await runSql(database, "SELECT name FROM migrations WHERE name = 'Later9999999999999'")).length === 1;

  test('runs once among three processes, and preserves all data', async () => {
    const before = await readTables(database);
    const ends = await Promise.all([migrateFurther(), migrateFurther(), migrateFurther()]);
    expect(ends).toEqual(Array.from({ length: 3 }, () => ({ code: 0, stderr: '' })));
    expect(await runSql(database, 'SELECT process FROM later_runs')).toHaveLength(1);
    expect(await isRecorded()).toBe(true);
    expect(await lossesSince(before)).toEqual([]);
    const users = await runSql(database, 'SELECT name, nickname FROM users');
    expect(users.map(({ nickname }) => nickname)).toEqual(users.map(({ name }) => name));
    // The Application with the highest id was deleted. Its id must not be used again.
    await runSql(
      database,
      "INSERT INTO applications (created, modified, name, name_key, description, timezone, currency, attributes) VALUES (1, 1, 'New', 'new', '', 'UTC', 'EUR', '{}')",
    );
    expect(await runSql(database, 'SELECT MAX(id) AS id FROM applications')).toEqual([{ id: 4 }]);
    // Today's version is now the older one.
    const { code, stderr } = await runToEnd({ DATABASE_URL: database.url });
    expect(code).toBe(1);
    expect(stderr).toContain('this one does not know Later9999999999999. Start the newer version');
  });

  test('that fails reports what it leaves in the database, loses no data, and succeeds once its fault is fixed', async () => {
    const before = await readTables(database);
    const { code, stderr } = await migrateFurther({ FAIL: '1' });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^Latchkey does not start: The migration Later9999999999999 failed: [^\n]*no_such_table[^\n]*\n$/,
    );
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(await isRecorded()).toBe(false);
    const after = await readTables(database);
    if (database.engine === 'sqlite') {
      expect(stderr).toContain('Nothing of it is left in the database.');
      expect(after).toEqual(before);
    } else {
      expect(stderr).toContain('MySQL cannot undo a change of a table, so what it had done until then is still there.');
      expect(after).toHaveProperty('later_runs');
      expect(after.users![0]).toHaveProperty('nickname');
    }
    expect(await lossesSince(before)).toEqual([]);
    // Today's version still runs on the database.
    expect(await migrateWithToday()).toEqual({ code: 0 });

    expect(await migrateFurther()).toEqual({ code: 0, stderr: '' });
    expect(await isRecorded()).toBe(true);
    expect(await runSql(database, 'SELECT process FROM later_runs')).toHaveLength(1);
    expect(await lossesSince(before)).toEqual([]);
  });
});
