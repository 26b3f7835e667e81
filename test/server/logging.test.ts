import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { jest } from '@jest/globals';
import type { Level } from 'pino';
import { Application } from '../../src/applications/application.entity.js';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import { createLogger } from '../../src/logging/logging.js';
import { until } from '../backoffice/coupon-fixtures.js';
import { CAMPAIGNS, createAdmin, createApplication, createKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { sendRaw } from '../support/raw-http.js';

const LEVELS: Level[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const KEY = `lkm_${'a'.repeat(49)}`;
const TOKEN = `lks_${'b'.repeat(49)}`;
const PASSWORD = 'correct horse battery';

type Line = Record<string, unknown> & { level: string; msg: string };

/** Returns what a logger writes about an object, at every level. */
function logged(...parameters: [object, string?]): string {
  const lines: string[] = [];
  const logger = createLogger('trace', { write: (line: string) => void lines.push(line) });
  LEVELS.forEach((level) => logger[level](...parameters));
  expect(lines).toHaveLength(LEVELS.length);
  return lines.join('');
}

/** Objects that could be logged, each with a secret in it. */
const EXAMPLES: [name: string, object: object, text?: string][] = [
  ['a secret in a text', {}, `the key ${KEY} was presented`],
  ['a secret in a URL', { url: `/v1/users?key=${KEY}` }],
  ['a secret in a URL with its underscore encoded', { url: `/v1/users/${KEY.replace('_', '%5F')}` }],
  ['a secret in a body', { body: { nested: [{ anything: KEY }] } }],
  ['a token', { headers: { 'x-other': TOKEN } }],
  ['Authorization', { req: { headers: { authorization: `Basic ${PASSWORD}` } } }],
  ['Proxy-Authorization', { headers: { 'Proxy-Authorization': PASSWORD } }],
  ['Cookie', { headers: { Cookie: PASSWORD, 'set-cookie': [PASSWORD] } }],
  ['passwords in a body', { a: { b: { password: PASSWORD, newPassword: PASSWORD, current_password: PASSWORD } } }],
  ['ADMIN_PASSWORD', { environment: { ADMIN_PASSWORD: PASSWORD } }],
  ['DATABASE_URL', { environment: { DATABASE_URL: `mysql://root:${PASSWORD}@db/latchkey` } }],
  ['the password of a database in a text', {}, `no route to mysql://root:${KEY}@db.example:3306/latchkey`],
  ['a secret in the message of an error', { err: new Error(`no such key: ${KEY}`) }],
  ['the query of a database driver', { err: Object.assign(new Error('x'), { sql: PASSWORD, parameters: [PASSWORD] }) }],
  ['the cause of an error', { err: new Error('x', { cause: Object.assign(new Error('y'), { sql: PASSWORD }) }) }],
  [
    'the errors of an AggregateError',
    { failure: new AggregateError([Object.assign(new Error('y'), { password: PASSWORD })], 'x') },
  ],
  ['an invalid URL', { err: invalidUrl(`mysql://root:${PASSWORD}@:x/latchkey`) }],
];

describe('the log', () => {
  test.each<[string, object, string]>(EXAMPLES.map(([name, object, text = 'something']) => [name, object, text]))(
    'redacts %s at every level',
    (_name, object, text) => {
      const lines = logged(object, text);
      for (const secret of [KEY, TOKEN, PASSWORD, 'a'.repeat(49)]) {
        expect(lines).not.toContain(secret);
      }
    },
  );

  test('describes an error with its cause', () => {
    const cause = Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED', syscall: 'connect' });
    expect(JSON.parse(logged({ err: new TypeError('broken', { cause }) }).split('\n')[0]!)).toMatchObject({
      err: {
        type: 'TypeError',
        message: 'broken',
        stack: expect.stringContaining('logging.test'),
        cause: { message: 'connect refused', code: 'ECONNREFUSED', syscall: 'connect' },
      },
    });
  });

  test('accepts an object that contains itself', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(logged({ circle })).toContain('circle');
  });
});

function invalidUrl(url: string): unknown {
  try {
    return new URL(url);
  } catch (error) {
    return error;
  }
}

describe('the log line of a request', () => {
  let latchkey: Latchkey;
  let sent = 0;

  beforeAll(async () => {
    latchkey = await startLatchkey();
  });
  afterAll(() => latchkey.close());

  const all = (): Line[] =>
    latchkey
      .log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);

  /** Sends a request and returns its log lines. */
  async function linesOf(
    client: { send: Latchkey['admin']['send'] },
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Line[]> {
    const requestId = `logged-${(sent += 1)}`;
    const answer = await client.send(method, path, body, { 'x-request-id': requestId });
    expect(answer.headers.get('x-request-id')).toBe(requestId);
    const mine = (): Line[] => all().filter((line) => line.requestId === requestId);
    while (mine().length === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    return mine();
  }

  test('has the principal, the request, the result and the duration', async () => {
    const { client, id } = await createAdmin(latchkey);
    expect(await linesOf(client, 'GET', '/v1/applications?name=secret-in-a-query')).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[0-9:.]+Z$/),
        requestId: expect.any(String),
        method: 'GET',
        path: '/v1/applications',
        status: 400,
        durationMs: expect.any(Number),
        principal: { kind: 'user', id },
        address: '127.0.0.1',
        code: 'validation-failed',
        msg: 'answered',
      },
    ]);
  });

  test('with a key has the id and hint of the key, whether it is accepted, refused or expired', async () => {
    const applicationId = await createApplication(latchkey.admin);
    const key = await createKey(latchkey.admin, { endpoints: [CAMPAIGNS] });
    const caller = latchkey.as(`ManagementKey-v1 ${key.key}`);
    const principal = { kind: 'api-key', id: key.id, hint: key.hint };
    const path = `/v1/applications/${applicationId}/campaigns`;
    const [allowed] = await linesOf(caller, 'GET', path);
    expect(allowed).toMatchObject({ status: 200, principal });
    expect(allowed).not.toHaveProperty('code');
    const [refused] = await linesOf(caller, 'GET', '/v1/users');
    expect(refused).toMatchObject({ status: 403, principal, code: 'endpoint-not-allowed', endpoint: 'GET /v1/users' });
    const now = latchkey.clock.now();
    latchkey.clock.set('2099-01-01T00:00:00Z');
    try {
      const [dead] = await linesOf(caller, 'GET', path);
      expect(dead).toMatchObject({ status: 401, principal, code: 'expired' });
    } finally {
      latchkey.clock.set(now);
    }
    await latchkey.admin.delete(`/v1/api_keys/${key.id}`);
    const [gone] = await linesOf(caller, 'GET', path);
    expect(gone).toMatchObject({ status: 401, code: 'unknown' });
    expect(gone).not.toHaveProperty('principal');
  });

  test('without a credential has no principal', async () => {
    const [line] = await linesOf(latchkey.anonymous, 'GET', '/v1/users');
    expect(line).toMatchObject({ status: 401, code: 'credential-missing' });
    expect(line).not.toHaveProperty('principal');
  });

  test('has the level of its problem, and is debug for health checks, metrics and allowed forward auth', async () => {
    const attempt = { email: 'guessed@example.com', password: 'wrong wrong wrong' };
    for (let failures = 0; failures < 5; failures += 1) {
      await latchkey.anonymous.post('/v1/sessions', attempt);
    }
    expect(await linesOf(latchkey.anonymous, 'POST', '/v1/sessions', attempt)).toMatchObject([
      { level: 'warn', code: 'too-many-attempts', status: 429 },
    ]);
    for (const path of ['/health/live', '/health/ready', '/metrics']) {
      expect(await linesOf(latchkey.anonymous, 'GET', path)).toMatchObject([{ level: 'debug', status: 200, path }]);
    }
    const key = await createKey(latchkey.admin, { endpoints: [{ method: 'GET', path: '/v1/applications' }] });
    const ask = (path: string) =>
      sendRaw(latchkey.url, 'GET', '/v1/forward_auth/forwarded/management', [
        ['Authorization', `ManagementKey-v1 ${key.key}`],
        ['X-Forwarded-Method', 'GET'],
        ['X-Forwarded-Uri', path],
        ['X-Request-Id', `forwarded${path.replaceAll('/', '-')}`],
      ]);
    expect((await ask('/v1/applications')).status).toBe(200);
    expect((await ask('/v1/users')).status).toBe(403);
    const lineOf = (id: string) => all().find((line) => line.requestId === id);
    const principal = { kind: 'api-key', id: key.id, hint: key.hint };
    expect(lineOf('forwarded-v1-applications')).toMatchObject({ level: 'debug', status: 200, principal });
    expect(lineOf('forwarded-v1-users')).toMatchObject({ level: 'info', code: 'endpoint-not-allowed', principal });
  });

  test('that the client aborted has no status', async () => {
    const applicationId = await createApplication(latchkey.admin);
    const transactions = latchkey.get(TransactionRunner);
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let hold = (): void => undefined;
    const held = new Promise<void>((resolve) => (hold = resolve));
    const other = transactions.inTransaction(async (tx) => {
      await tx.update(Application, { id: applicationId }, { description: 'held' });
      hold();
      await released;
    });
    await held;
    const inTransaction = transactions.inTransaction.bind(transactions);
    const client = new AbortController();
    const begun = new Promise<void>((resolve) => {
      jest.spyOn(transactions, 'inTransaction').mockImplementationOnce((work, urgency) => {
        resolve();
        return inTransaction(work, urgency);
      });
    });
    const deletion = fetch(`${latchkey.url}/v1/applications/${applicationId}`, {
      method: 'DELETE',
      headers: { authorization: latchkey.admin.authorization!, 'x-request-id': 'gone-away' },
      signal: client.signal,
    });
    await begun;
    client.abort();
    await expect(deletion).rejects.toThrow('aborted');
    await until('the line is there', () => all().some((line) => line.requestId === 'gone-away'));
    release();
    await other;
    const lines = all().filter((line) => line.requestId === 'gone-away');
    expect(lines).toMatchObject([{ method: 'DELETE', msg: 'aborted' }]);
    expect(lines[0]).not.toHaveProperty('status');
  });

  test('that signs in has the user and the client address', async () => {
    const { id, email, password } = await createAdmin(latchkey);
    const [line] = await linesOf(latchkey.anonymous, 'POST', '/v1/sessions', {
      email,
      password,
    });
    expect(line).toMatchObject({ status: 201, principal: { kind: 'user', id }, address: '127.0.0.1' });
    const [failed] = await linesOf(latchkey.anonymous, 'POST', '/v1/sessions', { email, password: 'not the password' });
    expect(failed).toMatchObject({ status: 401, code: 'sign-in-failed' });
    expect(failed).not.toHaveProperty('principal');
  });

  test('that is not HTTP says so', async () => {
    await sendRaw(latchkey.url, 'GET', '/ x', []);
    expect(all().filter((line) => line.msg === 'not HTTP')).toMatchObject([
      { level: 'info', status: 400, code: 'request-malformed' },
    ]);
  });
});

/** What a process does with its log, without the rest of the product: it logs a request, and ends on a signal. */
const LOGGING_PROCESS = `
  import { createLogger, endLog } from ${JSON.stringify(new URL('../../dist/logging/logging.js', import.meta.url))};
  const logger = createLogger('info');
  const end = () => endLog(logger).then(() => process.exit(0));
  process.on('SIGTERM', end).on('SIGINT', end);
  setInterval(() => undefined, 1000);
  logger.info('Latchkey listens');
  logger.info(
    { method: 'GET', path: '/v1/users', status: 401, code: 'credential-missing', durationMs: 1.5 },
    'answered',
  );
`;
const RUN_LOGGING_PROCESS = ['--input-type=module', '--eval', LOGGING_PROCESS];

// `process-log.test.ts` tests the same with the whole product.
describe('the log of a process', () => {
  test('is JSON lines, and does not block shutdown when its reader has gone', async () => {
    const child = spawn(process.execPath, RUN_LOGGING_PROCESS, { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      let text = '';
      while (text.split('\n').length < 3) {
        const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
        text += chunk.toString();
      }
      const lines = text.trim().split('\n');
      expect(lines.map((line) => (JSON.parse(line) as Line).msg)).toEqual(['Latchkey listens', 'answered']);
      child.stdout.destroy();
      await once(child.stdout, 'close');
      child.kill('SIGTERM');
      const signal = AbortSignal.timeout(30_000);
      expect(await once(child, 'exit', { signal })).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('is readable on a terminal', async () => {
    const quoted = [process.execPath, ...RUN_LOGGING_PROCESS].map((part) => `'${part.replaceAll("'", `'\\''`)}'`);
    const child = spawn('script', ['-qefc', `exec ${quoted.join(' ')}`, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    // A terminal throws away what it has not shown yet when Ctrl-C is typed.
    await until('the request is in the log', () => shown.includes('/v1/users'));
    child.stdin.write('\x03');
    await once(child, 'close');
    // eslint does not allow the escapes of a terminal in a pattern.
    const plain = shown.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
    expect(plain).toMatch(/INFO: Latchkey listens/);
    expect(plain).toMatch(/INFO: GET \/v1\/users 401 credential-missing \([0-9.]+ ms\)/);
    expect(plain).not.toContain('"level"');
  });
});
