import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { Client, type ProblemBody } from '../support/client.js';
import { createDatabase, type TestDatabase } from '../support/harness.js';
import { runToEnd, type ServerProcess, startServer } from '../support/process.js';

// Each of these starts several processes.
jest.setTimeout(90_000);

const NO_ADMIN_NAMED = { ADMIN_EMAIL: '', ADMIN_PASSWORD: '' };
const onSqlite = process.env.TEST_MYSQL_URL ? it.skip : it;
const onMysql = process.env.TEST_MYSQL_URL ? it : it.skip;

const client = (server: ServerProcess, authorization?: string): Client =>
  new Client(server.url, authorization, new Set());

async function signIn(server: ServerProcess, email: string, password: string): Promise<Client> {
  const answer = await client(server).post<{ token: string }>('/v1/sessions', { email, password });
  if (answer.status !== 201) {
    throw new Error(`sign-in failed: ${JSON.stringify(answer.body)}`);
  }
  return client(server, `Bearer ${answer.body.token}`);
}

/**
 * Starts the built service on a terminal, waits until it listens, ends it, and resolves with the output of the
 * terminal.
 */
async function runOnTerminal(environment: Record<string, string>): Promise<string> {
  const child = spawn('script', ['-qefc', `exec ${process.execPath} dist/main.js`, '/dev/null'], {
    cwd: join(import.meta.dirname, '../..'),
    env: { PATH: process.env.PATH, PORT: '0', ...environment },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let ending = false;
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    if (!ending && shown.includes('listens on')) {
      ending = true;
      // Ctrl-C, as a person would end it.
      child.stdin.write('\x03');
    }
  });
  await once(child, 'close');
  return shown;
}

describe('the first admin', () => {
  let database: TestDatabase;
  const servers: ServerProcess[] = [];

  beforeEach(async () => {
    database = await createDatabase();
  });
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    await database.drop();
  });

  const start = async (environment: Record<string, string> = {}): Promise<ServerProcess> => {
    const server = await startServer({ DATABASE_URL: database.url, ...environment });
    servers.push(server);
    return server;
  };
  const restart = async (environment: Record<string, string> = {}): Promise<ServerProcess> => {
    await Promise.all(servers.splice(0).map((server) => server.stop()));
    return start(environment);
  };

  it('is the user that ADMIN_EMAIL and ADMIN_PASSWORD name at the first start; later starts ignore them', async () => {
    const [email, password] = ['root@example.com', 'tulip ladder cement'];
    const first = await start({ ADMIN_EMAIL: email, ADMIN_PASSWORD: password });
    const admin = await signIn(first, email, password);
    expect(await admin.get('/v1/sessions/current')).toMatchObject({ body: { user: { email, isAdmin: true } } });
    const second = await restart({ ADMIN_EMAIL: 'other@example.com', ADMIN_PASSWORD: 'another password' });
    const users = await (await signIn(second, email, password)).get<{ data: { email: string }[] }>('/v1/users');
    expect(users.body.data.map((user) => user.email)).toEqual([email]);
    expect(second.output()).toContain('ADMIN_EMAIL and ADMIN_PASSWORD are not used');
    expect(first.output() + second.output()).not.toContain(password);
  });

  it('needs a password that is hard to guess; otherwise the process names the variable and does not start', async () => {
    const refused: [string, string][] = [
      ['ladder-cement.', 'must have 15 to 128 characters'],
      ['Root@Example.com', 'must not contain the e-mail address of its user'],
    ];
    for (const [ADMIN_PASSWORD, detail] of refused) {
      const variables = { DATABASE_URL: database.url, ADMIN_EMAIL: 'root@example.com', ADMIN_PASSWORD };
      const { code, stdout, stderr } = await runToEnd(variables);
      expect(code).toBe(1);
      expect(stderr).toContain(`The environment is not usable:\n  - ADMIN_PASSWORD ${detail}`);
      expect(stdout + stderr).not.toMatch(new RegExp(`${ADMIN_PASSWORD}|listens on|\n {4}at `));
    }
    // No user was created. Once a user exists, the variables have no effect.
    await start();
    await signIn(await restart({ ADMIN_PASSWORD: 'aaaaaaaaaaaa' }), 'admin@example.com', 'correct horse battery');
  });

  it('is created only once when several processes start on an empty database at the same time', async () => {
    const started = await Promise.all([start(), start(), start()]);
    for (const server of started) {
      const admin = await signIn(server, 'admin@example.com', 'correct horse battery');
      expect(await admin.get('/v1/users')).toMatchObject({ status: 200, body: { totalResultSize: 1 } });
    }
  });

  onSqlite(
    'gets a password in a file that only its owner can read, if the variables are empty and there is no terminal',
    async () => {
      const file = `${database.url.slice('sqlite:'.length)}.first-admin.txt`;
      const server = await start(NO_ADMIN_NAMED);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const [, email, password] = /^E-mail address: (.*)\nPassword: (.*)\n$/.exec(readFileSync(file, 'utf8'))!;
      expect(server.output()).toContain(file);
      expect(server.output()).not.toContain(password);
      const admin = await signIn(server, email!, password!);
      expect((await admin.get('/v1/users')).status).toBe(200);

      const again = await restart(NO_ADMIN_NAMED);
      expect(again.output()).not.toContain('first-admin.txt');
      expect(readFileSync(file, 'utf8')).toContain(password);
      await signIn(again, email!, password!);
    },
  );

  onSqlite('is shown once on the terminal if the variables are empty', async () => {
    const environment = { DATABASE_URL: database.url };
    const shown = await runOnTerminal(environment);
    const [, email] = /E-mail address: (\S+)/.exec(shown)!;
    const [, password] = /Password: (\S+)/.exec(shown)!;
    expect(existsSync(`${database.url.slice('sqlite:'.length)}.first-admin.txt`)).toBe(false);
    expect(await runOnTerminal(environment)).not.toMatch(/Password|E-mail/);
    await signIn(await start(NO_ADMIN_NAMED), email!, password!);
    expect(await database.dump()).not.toContain(password);
  });

  onMysql('is shown on the terminal on MySQL as well', async () => {
    const shown = await runOnTerminal({ DATABASE_URL: database.url });
    await signIn(
      await start(NO_ADMIN_NAMED),
      /E-mail address: (\S+)/.exec(shown)![1]!,
      /Password: (\S+)/.exec(shown)![1]!,
    );
  });

  onMysql(
    'must be named on MySQL without a terminal; otherwise the process names the variables and does not start',
    async () => {
      const { code, stdout, stderr } = await runToEnd({ DATABASE_URL: database.url, ...NO_ADMIN_NAMED });
      expect(code).toBe(1);
      expect(stderr).toMatch(/ADMIN_EMAIL.*ADMIN_PASSWORD/);
      expect(stdout + stderr).not.toMatch(/Password:|listens on|\n {4}at /);
      // No user was created. With the variables the service starts.
      await signIn(await start(), 'admin@example.com', 'correct horse battery');
    },
  );

  it('gets a new password from the command reset-password, which ends their sessions', async () => {
    const server = await start();
    const admin = await signIn(server, 'admin@example.com', 'correct horse battery');
    const { code, stdout, stderr } = await runToEnd({ DATABASE_URL: database.url }, [
      'reset-password',
      'Admin@Example.com',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('sessions have ended') });
    const password = stdout.trim();
    expect(password).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    expect(await admin.get<ProblemBody>('/v1/sessions/current')).toMatchObject({
      status: 401,
      body: { code: 'unknown' },
    });
    await expect(signIn(server, 'admin@example.com', 'correct horse battery')).rejects.toThrow('sign-in-failed');
    const again = await signIn(server, 'admin@example.com', password);
    const changes = await again.get<{ data: { entity: string }[] }>('/v1/changes?pageSize=10');
    expect(changes.body.data.map(({ entity }) => entity)).toContain('reset-password');
    expect(JSON.stringify(changes.body) + server.output() + (await database.dump())).not.toContain(password);
  });

  it('can sign in right after reset-password, even if failed sign-ins had locked them out', async () => {
    const server = await start();
    const attempt = async (password: string): Promise<number> =>
      (await client(server).post('/v1/sessions', { email: 'admin@example.com', password })).status;
    const statuses: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      statuses.push(await attempt('not the password'));
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    const { stdout } = await runToEnd({ DATABASE_URL: database.url }, ['reset-password', 'admin@example.com']);
    expect(await attempt(stdout.trim())).toBe(201);
  });

  it('is not created by reset-password, which reports wrong usage and unknown addresses', async () => {
    const unknown = await runToEnd({ DATABASE_URL: database.url }, ['reset-password', 'nobody@example.com']);
    expect(unknown).toEqual({ code: 1, stdout: '', stderr: 'There is no user with this e-mail address.\n' });
    for (const parameters of [[], ['a@example.com', 'b@example.com']]) {
      const wrong = await runToEnd({ DATABASE_URL: database.url }, ['reset-password', ...parameters]);
      expect(wrong).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('Usage') });
    }
    // A reset creates no user: the first start still finds an empty database.
    await signIn(await start(), 'admin@example.com', 'correct horse battery');
  });

  it('gets no new password without a database or with an invalid environment, and the command reports only that', async () => {
    const DATABASE_URL = 'mysql://latchkey@127.0.0.1:1/latchkey';
    const unreachable = await runToEnd({ DATABASE_URL }, ['reset-password', 'admin@example.com']);
    expect(unreachable).toMatchObject({ code: 1, stdout: '' });
    expect(unreachable.stderr).toMatch(/^Latchkey does not start\. The database cannot be reached: [^\n]+\n$/);
    const faulty = await runToEnd({ DATABASE_URL: database.url, PORT: 'x' }, ['reset-password', 'admin@example.com']);
    expect(faulty).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'The environment is not usable:\n  - PORT must be a whole number from 0 to 65535, in digits, such as 3000\n',
    });
  });
});
