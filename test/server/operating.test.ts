import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { NEWEST_MIGRATION } from '../../src/database/migrations/migrations.js';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import type { ProblemBody } from '../support/client.js';
import { createApplication, createKey } from '../support/fixtures.js';
import { createDatabase, type Latchkey, startLatchkey } from '../support/harness.js';
import { sendRaw } from '../support/raw-http.js';

const onMysql = process.env.TEST_MYSQL_URL ? describe : describe.skip;

/** Returns the value of a line of the metrics. Returns 0 if there is no such line. */
function amount(metrics: string, line: string): number {
  const found = metrics.split('\n').find((one) => one.startsWith(`${line} `));
  return found === undefined ? 0 : Number(found.slice(line.length + 1));
}

describe('health and metrics', () => {
  let latchkey: Latchkey;

  beforeAll(async () => {
    latchkey = await startLatchkey();
  });
  afterAll(() => latchkey.close());

  const metrics = async (): Promise<string> => (await latchkey.anonymous.get<string>('/metrics')).body;

  test('the liveness check succeeds, and shows the version', async () => {
    expect(await latchkey.anonymous.get('/health/live')).toMatchObject({
      status: 200,
      body: { status: 'ok', version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
    });
  });

  test('a process is ready only if its database can be reached and has the schema of this version', async () => {
    const ready = () => latchkey.anonymous.get<ProblemBody>('/health/ready');
    const up = { status: 'ok', details: { process: { status: 'up' }, database: { status: 'up' } } };
    expect(await ready()).toMatchObject({ status: 200, body: up });
    const rename = (from: string, to: string) =>
      latchkey
        .get(TransactionRunner)
        .inTransaction((tx) =>
          tx.query(`UPDATE migrations SET name = CONCAT(name, '${to}') WHERE name LIKE '${from}%'`),
        );
    const restore = () =>
      latchkey
        .get(TransactionRunner)
        .inTransaction((tx) => tx.query(`UPDATE migrations SET name = REPLACE(name, '-x', '')`));
    await rename(NEWEST_MIGRATION, '-x');
    try {
      const answer = await ready();
      expect(answer).toMatchObject({
        status: 503,
        body: { code: 'not-ready', detail: 'database: Its schema is older than this version.' },
      });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.headers.get('retry-after')).toBe('1');
    } finally {
      await restore();
    }
    expect((await ready()).status).toBe(200);
    expect((await latchkey.anonymous.get('/health/live')).status).toBe(200);
  });

  test('decisions are counted by kind and outcome, and their duration is measured', async () => {
    const key = await createKey(latchkey.admin, {
      endpoints: [
        { method: 'GET', path: '/v1/applications' },
        { method: 'POST', path: '/v1/verifications' },
      ],
    });
    const caller = latchkey.as(`ManagementKey-v1 ${key.key}`);
    const before = await metrics();
    for (let calls = 0; calls < 3; calls += 1) {
      await caller.get('/v1/applications');
    }
    await caller.get('/v1/users');
    await latchkey.anonymous.get('/v1/users');
    await caller.post('/v1/verifications', { key: key.key, method: 'GET', path: '/v1/applications' });
    await caller.post('/v1/verifications', { key: 'no key', method: 'GET', path: '/v1/applications' });
    const headers = [
      ['Authorization', `ManagementKey-v1 ${key.key}`],
      ['X-Forwarded-Method', 'GET'],
      ['X-Forwarded-Uri', '/v1/applications'],
    ] as const;
    await sendRaw(latchkey.url, 'GET', '/v1/forward_auth/forwarded/management', headers);
    await sendRaw(latchkey.url, 'GET', '/v1/forward_auth/forwarded/management', headers.slice(1));
    const after = await metrics();
    const more = (line: string): number => amount(after, line) - amount(before, line);
    const decisions = (kind: string, outcome: string) =>
      more(`latchkey_decisions_total{kind="${kind}",outcome="${outcome}"}`);
    expect({
      allowed: decisions('route', 'allowed'),
      notAllowed: decisions('route', 'endpoint-not-allowed'),
      missing: decisions('route', 'credential-missing'),
      verified: decisions('verification', 'allowed'),
      malformed: decisions('verification', 'malformed'),
      passed: decisions('forward-auth', 'allowed'),
      refused: decisions('forward-auth', 'credential-missing'),
    }).toEqual({ allowed: 5, notAllowed: 1, missing: 1, verified: 1, malformed: 1, passed: 1, refused: 1 });
    for (const [kind, count] of [
      ['route', 7],
      ['verification', 2],
      ['forward-auth', 2],
    ] as const) {
      expect([kind, more(`latchkey_decision_duration_seconds_count{kind="${kind}"}`)]).toEqual([kind, count]);
      expect(more(`latchkey_decision_duration_seconds_bucket{kind="${kind}",le="+Inf"}`)).toBe(count);
      expect(more(`latchkey_decision_duration_seconds_sum{kind="${kind}"}`)).toBeGreaterThan(0);
    }
  });

  test('concurrent requests with different keys share queries, and the metrics show it', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => createKey(latchkey.admin)));
    const before = await metrics();
    await Promise.all(
      keys.flatMap(({ key }) =>
        Array.from({ length: 5 }, () => latchkey.as(`ManagementKey-v1 ${key}`).get('/v1/users')),
      ),
    );
    const after = await metrics();
    const more = (line: string): number => amount(after, line) - amount(before, line);
    const batches = more('latchkey_key_reader_batch_size_count');
    expect(batches).toBeGreaterThan(0);
    expect(batches).toBeLessThan(100);
    expect(more('latchkey_key_reader_batch_size_sum')).toBeGreaterThanOrEqual(20);
    expect(more('latchkey_decision_statements_total')).toBeGreaterThanOrEqual(batches);
  });

  test('sign-ins and imports are counted by outcome', async () => {
    const applicationId = await createApplication(latchkey.admin);
    const campaign = await latchkey.admin.post<{ id: number }>(`/v1/applications/${applicationId}/campaigns`, {
      name: 'Spring',
    });
    const path = `/v1/applications/${applicationId}/campaigns/${campaign.body.id}/import_coupons`;
    const form = (text: string): FormData => {
      const data = new FormData();
      data.append('upFile', new Blob([text]), 'coupons.csv');
      return data;
    };
    const before = await metrics();
    await latchkey.anonymous.post('/v1/sessions', { email: 'nobody@example.com', password: 'wrong wrong wrong' });
    await latchkey.signIn('admin@example.com', 'correct horse battery');
    expect((await latchkey.admin.post(path, form('value\nSPRING-1\nSPRING-2\n'))).status).toBe(200);
    expect((await latchkey.admin.post(path, form('value\nSPRING-1\n'))).status).toBe(409);
    const after = await metrics();
    const more = (line: string): number => amount(after, line) - amount(before, line);
    expect(more('latchkey_sign_ins_total{outcome="succeeded"}')).toBe(1);
    expect(more('latchkey_sign_ins_total{outcome="sign-in-failed"}')).toBe(1);
    expect(more('latchkey_imports_total{outcome="succeeded"}')).toBe(1);
    expect(more('latchkey_imports_total{outcome="coupon-exists"}')).toBe(1);
    expect(more('latchkey_imported_coupons_total')).toBe(2);
    expect(amount(after, 'latchkey_imports_in_progress{phase="writing"}')).toBe(0);
  });

  test('the metrics include those of the process, and on MySQL those of its connection pool', async () => {
    const answer = await latchkey.anonymous.get<string>('/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(answer.body).toMatch(/^process_cpu_seconds_total /m);
    expect(answer.body).toMatch(/^nodejs_eventloop_lag_seconds /m);
    const pool = answer.body.match(/^latchkey_database_pool_connections\{state="(used|idle)"\} \d+$/gm) ?? [];
    expect(pool).toHaveLength(latchkey.database.engine === 'mysql' ? 2 : 0);
    if (latchkey.database.engine === 'mysql') {
      const used = () => metrics().then((text) => amount(text, 'latchkey_database_pool_connections{state="used"}'));
      expect(await used()).toBe(0);
      await latchkey.get(TransactionRunner).inTransaction(async () => expect(await used()).toBe(1));
    }
  });

  test('the metrics are read-only, and are not found if METRICS_ENABLED is false', async () => {
    expect(await latchkey.anonymous.post('/metrics')).toMatchObject({ status: 405 });
    expect((await latchkey.anonymous.get('/metrics/')).status).toBe(404);
    const other = await startLatchkey({ METRICS_ENABLED: 'false' });
    try {
      expect((await other.anonymous.get('/metrics')).status).toBe(404);
    } finally {
      await other.close();
    }
  });
});

onMysql('a process whose database does not respond', () => {
  /** A proxy to MySQL that can stop passing bytes on. */
  class FreezableProxy {
    private readonly sockets = new Set<Socket>();
    private frozen = false;
    private server: Server | undefined;

    async open(target: URL): Promise<number> {
      this.server = createServer((near) => {
        const far = connect(Number(target.port), target.hostname);
        for (const [from, to] of [
          [near, far],
          [far, near],
        ] as const) {
          this.sockets.add(from);
          from.on('error', () => to.destroy());
          from.on('close', () => to.destroy());
          from.on('data', (chunk) => void this.pass(chunk, to));
        }
      });
      await new Promise<void>((resolve) => this.server!.listen(0, '127.0.0.1', resolve));
      return (this.server.address() as { port: number }).port;
    }

    set isFrozen(frozen: boolean) {
      this.frozen = frozen;
    }

    close(): void {
      this.sockets.forEach((socket) => socket.destroy());
      this.server?.close();
    }

    private async pass(chunk: Buffer, to: Socket): Promise<void> {
      while (this.frozen) {
        await wait(20);
      }
      to.write(chunk);
    }
  }

  test('reports within its deadline that it is not ready, stays alive, and becomes ready again', async () => {
    const database = await createDatabase();
    const proxy = new FreezableProxy();
    const url = new URL(database.url);
    url.port = String(await proxy.open(new URL(database.url)));
    url.hostname = '127.0.0.1';
    const latchkey = await startLatchkey({ DATABASE_URL: url.href, DECISION_WAIT_MS: '500' });
    try {
      const ready = () => latchkey.anonymous.get<ProblemBody>('/health/ready');
      expect((await ready()).status).toBe(200);
      proxy.isFrozen = true;
      const began = performance.now();
      const answers = await Promise.all([ready(), ready(), ready()]);
      expect(performance.now() - began).toBeLessThan(3000);
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 503, body: { code: 'not-ready' } });
        expect(answer.body.detail).toBe('database: It cannot be reached (decision-timeout).');
      }
      expect((await latchkey.anonymous.get('/health/live')).status).toBe(200);
      proxy.isFrozen = false;
      while ((await ready()).status !== 200) {
        await wait(50);
      }
    } finally {
      proxy.isFrozen = false;
      await latchkey.close();
      proxy.close();
      await database.drop();
    }
  });
});
