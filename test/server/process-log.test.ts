import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from '../backoffice/coupon-fixtures.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, createDatabase } from '../support/harness.js';
import { startServer } from '../support/process.js';

// `logging.test.ts` tests the same with a logger alone.

describe('the log of the process', () => {
  test('is JSON lines', async () => {
    const database = await createDatabase();
    try {
      const server = await startServer({ DATABASE_URL: database.url });
      await fetch(`${server.url}/v1/users`);
      await server.stop();
      const lines = server.output().trim().split('\n');
      const messages = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
      expect(messages).toEqual([
        expect.stringContaining('The first admin was created'),
        expect.stringContaining('Latchkey listens on'),
        'answered',
        'Latchkey is shutting down',
        'Latchkey has shut down',
      ]);
    } finally {
      await database.drop();
    }
  });

  test('does not block shutdown when its reader has gone', async () => {
    const database = await createDatabase();
    const child = spawn(process.execPath, [join(import.meta.dirname, '../../dist/main.js')], {
      env: { ...process.env, PORT: '0', DATABASE_URL: database.url, ADMIN_EMAIL, ADMIN_PASSWORD },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      for (let text = ''; !text.includes('listens on');) {
        const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
        text += chunk.toString();
      }
      child.stdout.destroy();
      await once(child.stdout, 'close');
      child.kill('SIGTERM');
      const signal = AbortSignal.timeout(30_000);
      expect(await once(child, 'exit', { signal })).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
      await database.drop();
    }
  });

  test('is readable on a terminal', async () => {
    const database = await createDatabase();
    try {
      const child = spawn('script', ['-qefc', `exec ${process.execPath} dist/main.js`, '/dev/null'], {
        cwd: join(import.meta.dirname, '../..'),
        env: { PATH: process.env.PATH, PORT: '0', DATABASE_URL: database.url, ADMIN_EMAIL, ADMIN_PASSWORD },
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      let shown = '';
      child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()));
      await until('the server listens', () => /listens on http:[^\s;]+;/.test(shown));
      await fetch(`${/listens on (http:[^\s;]+);/.exec(shown)![1]}/v1/users`);
      // A terminal throws away what it has not shown yet when Ctrl-C is typed.
      await until('the request is in the log', () => shown.includes('/v1/users'));
      child.stdin.write('\x03');
      await once(child, 'close');
      // eslint does not allow the escapes of a terminal in a pattern.
      const plain = shown.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
      expect(plain).toMatch(/INFO: Latchkey listens on http/);
      expect(plain).toMatch(/INFO: GET \/v1\/users 401 credential-missing \([0-9.]+ ms\)/);
      expect(plain).not.toContain('"level"');
    } finally {
      await database.drop();
    }
  });
});
