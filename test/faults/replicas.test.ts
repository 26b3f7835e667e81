import { readFileSync, statSync } from 'node:fs';
import mysql from 'mysql2/promise';
import { openSqlite } from '../../src/database/sqlite-driver.js';
import { createKey } from '../support/fixtures.js';
import { type ServerProcess, startServer } from '../support/process.js';
import { createDatabaseOn, ENGINES } from './faulty-mysql.js';
import { signIn } from './service.js';

const REPLICAS = 3;

async function read<Row>(url: string, sql: string): Promise<Row[]> {
  if (url.startsWith('sqlite:')) {
    const database = openSqlite(url.slice('sqlite:'.length), { readonly: true });
    const rows = database.prepare(sql).all() as Row[];
    database.close();
    return rows;
  }
  const connection = await mysql.createConnection(url);
  const [rows] = await connection.query(sql);
  await connection.end();
  return rows as Row[];
}

test.each(ENGINES)(
  '%s: of three replicas that start at once on an empty database, one migrates, one creates the first admin, and all serve',
  async (engine) => {
    const database = await createDatabaseOn(engine);
    const servers = await Promise.all(
      Array.from({ length: REPLICAS }, () => startServer({ DATABASE_URL: database.url })),
    );
    try {
      const admins = await Promise.all(servers.map(({ url }) => signIn(url)));
      const created = await createKey(admins[0]!, { expiryDate: '2099-01-01' });
      for (const [replica, admin] of admins.entries()) {
        const users = await admin.get<{ totalResultSize: number }>('/v1/users');
        expect(users).toMatchObject({ status: 200, body: { totalResultSize: 1 } });
        const verification = { key: created.key, method: 'GET', path: '/v1/applications/1/campaigns' };
        expect(await admin.post('/v1/verifications', verification)).toMatchObject({ body: { valid: true } });
        expect(servers[replica]!.output()).not.toMatch(/"level":"(error|warn)"/);
      }
      const migrations = await read<{ name: string }>(database.url, 'SELECT name FROM migrations');
      expect(migrations.length).toBeGreaterThan(0);
      expect(new Set(migrations.map(({ name }) => name)).size).toBe(migrations.length);
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
      await database.drop();
    }
  },
  120_000,
);

test('sqlite: the process that created the first admin keeps its lock on the database, which protects the write-ahead log', async () => {
  const database = await createDatabaseOn('sqlite');
  const server = await startServer({ DATABASE_URL: database.url });
  try {
    await signIn(server.url);
    const inode = statSync(database.url.slice('sqlite:'.length)).ino;
    // Linux lists each lock with its process, and the file as device:device:inode.
    const locks = readFileSync('/proc/locks', 'utf8').split('\n');
    expect(locks.filter((lock) => new RegExp(` READ +${server.pid} [^ ]+:${inode} `).test(lock))).toHaveLength(1);
  } finally {
    await server.stop();
    await database.drop();
  }
}, 120_000);

test.each(ENGINES)(
  '%s: a change that a replica acknowledged is kept although others start and stop and it is killed',
  async (engine) => {
    const database = await createDatabaseOn(engine);
    const servers: ServerProcess[] = [];
    const start = async (): Promise<ServerProcess> => {
      const server = await startServer({ DATABASE_URL: database.url });
      servers.push(server);
      return server;
    };
    try {
      const first = await start();
      const admin = await signIn(first.url);
      for (let round = 0; round < REPLICAS; round += 1) {
        const other = await start();
        const before = await createKey(admin, { expiryDate: '2099-01-01' });
        const question = { key: before.key, method: 'GET', path: '/v1/applications/1/campaigns' };
        expect(await (await signIn(other.url)).post('/v1/verifications', question)).toMatchObject({
          body: { valid: true },
        });
        expect(await other.stop()).toBe(0);
      }
      const created = await createKey(admin, { expiryDate: '2099-01-01' });
      first.kill('SIGKILL');
      await first.exited;
      const last = await signIn((await start()).url);
      expect(await last.get('/v1/api_keys')).toMatchObject({ body: { totalResultSize: REPLICAS + 1 } });
      expect(await last.get(`/v1/api_keys/${created.id}`)).toMatchObject({ status: 200, body: { state: 'valid' } });
    } finally {
      servers.forEach((server) => server.kill('SIGKILL'));
      await Promise.all(servers.map(({ exited }) => exited));
      await database.drop();
    }
  },
  120_000,
);
