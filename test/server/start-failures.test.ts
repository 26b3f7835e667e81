import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { readConfig } from '../../src/config/config.js';
import { migrate } from '../../src/database/migrate.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, createDatabase, type TestDatabase } from '../support/harness.js';
import { type Character, startMysqlStandIn } from '../support/mysql-stand-in.js';
import { runToEnd, startServer } from '../support/process.js';
import { freePort } from '../verification/proxies.js';
import { readTables, runSql } from '../support/sql.js';

const onMysql = process.env.TEST_MYSQL_URL ? describe : describe.skip;
/** Tests without a MySQL server run only once, and not again on MySQL. */
const once = process.env.TEST_MYSQL_URL ? describe.skip : describe;

/** Removes root's rights to files of other users and to low ports. Other users have no such rights. */
const POWERLESS = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];
/** Ports below this one are privileged. A container may have no privileged ports. */
const FREE_PORTS_FROM = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
const SECRET = 's3cr3t';
const ENDS_WITHIN_MS = 45_000;

/** Starts the service where it must fail, and resolves with its message for the operator. */
async function refusal(environment: Record<string, string>, runBy: string[] = []): Promise<string> {
  const began = performance.now();
  const run = await runToEnd({ ADMIN_EMAIL, ADMIN_PASSWORD, ...environment }, [], runBy);
  expect(run.code).toBe(1);
  expect(performance.now() - began).toBeLessThan(ENDS_WITHIN_MS);
  const written = run.stdout + run.stderr;
  // The message must contain no stack, no secret, and nothing that suggests a successful start.
  expect(written).not.toMatch(/\n\s+at |node:internal|listens on/);
  expect(written).not.toContain(SECRET);
  expect(written).not.toContain(ADMIN_PASSWORD);
  return run.stderr;
}

/** Starts the service where it must fail with a message of one line, and returns that line. */
async function oneLine(environment: Record<string, string>, runBy: string[] = []): Promise<string> {
  const message = await refusal(environment, runBy);
  expect(message).toMatch(/^Latchkey does not start[.:] [^\n]+\n$/);
  return message;
}

once('a process that cannot start says why, in one message that names what to do, and ends', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-start-'));
    file = join(folder, 'latchkey.sqlite');
  });
  afterEach(() => {
    chmodSync(folder, 0o700);
    rmSync(folder, { recursive: true });
  });

  describe('if it cannot listen', () => {
    test('because it is given a command that there is not', async () => {
      const run = await runToEnd({ DATABASE_URL: `sqlite:${file}` }, ['--help']);
      expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('reset-password <email>')]);
      expect(existsSync(file)).toBe(false);
    });

    test('because somebody else listens there', async () => {
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as { port: number };
      try {
        const message = await oneLine({ DATABASE_URL: `sqlite:${file}`, PORT: String(port) });
        expect(message).toContain(`end it, or set PORT. (listen EADDRINUSE: address already in use 127.0.0.1:${port})`);
      } finally {
        other.close();
      }
    });

    (FREE_PORTS_FROM > 1 ? test : test.skip)('because the port is for the privileged', async () => {
      const message = await oneLine({ DATABASE_URL: `sqlite:${file}`, PORT: '1' }, POWERLESS);
      expect(message).toContain('This user may not listen on this port: set PORT to 1024 or more.');
    });

    test('because this machine has no such address', async () => {
      const message = await oneLine({ DATABASE_URL: `sqlite:${file}`, HOST: '203.0.113.7' });
      expect(message).toContain('HOST is not an address of this machine: set HOST to one, such as 127.0.0.1.');
    });

    test('because nobody knows the name of the address', async () => {
      const message = await oneLine({ DATABASE_URL: `sqlite:${file}`, HOST: 'no-such-host.invalid' });
      expect(message).toMatch(/set HOST\./);
      expect(message).not.toContain('database');
    });
  });

  describe('if its SQLite file', () => {
    test('is in a folder in which it may not write', async () => {
      chmodSync(folder, 0o500);
      const message = await oneLine({ DATABASE_URL: `sqlite:${file}` }, POWERLESS);
      expect(message).toContain(
        'This user may not write the database file: check DATABASE_URL and the permissions of its folder',
      );
    });

    test('is to be in a folder that it may not make', async () => {
      chmodSync(folder, 0o500);
      const message = await oneLine({ DATABASE_URL: `sqlite:${join(folder, 'data', 'latchkey.sqlite')}` }, POWERLESS);
      expect(message).toContain(
        'This user may not write the database file: check DATABASE_URL and the permissions of its folder',
      );
    });

    test('may not be written', async () => {
      writeFileSync(file, '', { mode: 0o400 });
      const message = await oneLine({ DATABASE_URL: `sqlite:${file}` }, POWERLESS);
      expect(message).toContain('This user may not write the database file');
    });

    test('is no database', async () => {
      writeFileSync(file, 'Dear diary, today I was mistaken for a database.\n'.repeat(100));
      const message = await oneLine({ DATABASE_URL: `sqlite:${file}` });
      expect(message).toContain('The file that DATABASE_URL names is not a SQLite database.');
    });

    test('is damaged', async () => {
      await migrate(readConfig({ DATABASE_URL: `sqlite:${file}` }));
      truncateSync(file, 8192);
      const message = await oneLine({ DATABASE_URL: `sqlite:${file}` });
      expect(message).toContain('The database file is damaged: restore a backup.');
    });

    test('is a folder', async () => {
      mkdirSync(file);
      const message = await oneLine({ DATABASE_URL: `sqlite:${file}` });
      expect(message).toContain('DATABASE_URL does not name a file that can be opened: it is a folder');
    });

    test.each(['latchkey.sqlite', 'data/latchkey.sqlite'])('is to be %s in what is no folder', async (path) => {
      writeFileSync(file, '');
      const message = await oneLine({ DATABASE_URL: `sqlite:${file}/${path}` });
      expect(message).toContain('A part of the path in DATABASE_URL is a file, not a folder.');
    });
  });

  describe('if the environment is not usable', () => {
    test('with all faults at once, by variable and never by value', async () => {
      const message = await refusal({
        PORT: '65536',
        HOST: `${SECRET} of a host`,
        DATABASE_URL: `mysql://root:${SECRET}/of#the%database@127.0.0.1/latchkey`,
        ADMIN_EMAIL: SECRET,
        DECISION_WAIT_MS: SECRET,
        TRUST_PROXY: 'true',
        DOCS_ENABLED: SECRET,
      });
      const [title, ...faults] = message.trimEnd().split('\n');
      expect(title).toBe('The environment is not usable:');
      expect(faults.every((fault) => fault.startsWith('  - '))).toBe(true);
      const named = faults.map((fault) => /[A-Z][A-Z_]+[A-Z]/.exec(fault)?.[0]);
      expect(new Set(named)).toEqual(
        new Set(['PORT', 'HOST', 'DATABASE_URL', 'ADMIN_EMAIL', 'DECISION_WAIT_MS', 'TRUST_PROXY', 'DOCS_ENABLED']),
      );
      expect(message).not.toContain('65536');
    });
  });

  describe('if MySQL cannot be reached', () => {
    const url = (port: number, host = '127.0.0.1'): string => `mysql://latchkey:${SECRET}@${host}:${port}/latchkey`;

    /** Starts a server that is not MySQL. `does` says how it treats clients. */
    async function listening(does: 'hang up' | 'say nothing'): Promise<{ server: Server; port: number }> {
      const server = createServer((socket) => {
        socket.on('error', () => socket.destroy());
        if (does === 'hang up') {
          socket.destroy();
        }
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return { server, port: (server.address() as { port: number }).port };
    }

    test('because nobody listens', async () => {
      const message = await oneLine({ DATABASE_URL: url(await freePort()) });
      expect(message).toContain('The database cannot be reached: is it running? See DATABASE_URL.');
    });

    test('because nobody knows its host', async () => {
      const message = await oneLine({ DATABASE_URL: url(3306, 'no-such-host.invalid') });
      expect(message).toMatch(
        /The database cannot be reached: its host (is unknown|could not be looked up)\. See DATABASE_URL\./,
      );
    });

    test.each([
      ['hangs up', 'hang up', 'it closed the connection'],
      ['says nothing', 'say nothing', 'it did not answer in time'],
    ] as const)('because whoever listens %s', async (_what, does, words) => {
      const { server, port } = await listening(does);
      try {
        const message = await oneLine({ DATABASE_URL: url(port) });
        expect(message).toContain(`The database cannot be reached: ${words}. See DATABASE_URL.`);
      } finally {
        server.close();
      }
    });
  });

  describe('if the MySQL server', () => {
    const tooMany = { code: 1040, message: 'Too many connections' };
    const cases: [what: string, character: Character, words: string, parameters?: string][] = [
      ['is frozen once it has let us in', 'silent', 'The database cannot be reached: it did not answer in time.'],
      ['has no connection left', { refusing: tooMany }, 'raise max_connections, or lower DATABASE_POOL_SIZE.'],
      ['offers no TLS where it is asked for', 'silent', 'The database offers no TLS: see DATABASE_URL.', '?ssl=true'],
    ];
    test.each(cases)('%s', async (_what, character, words, parameters = '') => {
      const standIn = await startMysqlStandIn(character);
      try {
        expect(await oneLine({ DATABASE_URL: standIn.url + parameters })).toContain(words);
      } finally {
        standIn.close();
      }
    });

    test.each(['5.7.44', '8.0.36', '8.3.0', '11.4.2-MariaDB-ubu2404', '5.5.5-10.11.6-MariaDB'])(
      'is %s',
      async (version) => {
        const standIn = await startMysqlStandIn({ version });
        try {
          expect(await refusal({ DATABASE_URL: standIn.url })).toBe(
            `DATABASE_URL names a ${version} server; Latchkey runs on MySQL 8.4 to 9.x (MariaDB is not supported).\n`,
          );
        } finally {
          standIn.close();
        }
      },
    );
  });
});

describe('a process of an older version', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(() => database.drop());

  test('does not start on a database that a newer one has changed, and leaves it as it is', async () => {
    await migrate(readConfig({ DATABASE_URL: database.url }));
    await runSql(
      database,
      "INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'OfTomorrow9999999999999')",
    );
    const before = await readTables(database);
    expect(await refusal({ DATABASE_URL: database.url })).toBe(
      'The database has been used by a newer version of Latchkey: this one does not know OfTomorrow9999999999999. ' +
        'Start the newer version, or restore the backup from before the upgrade.\n',
    );
    expect(await readTables(database)).toEqual(before);
  });
});

onMysql('a process that MySQL lets in, but not far enough,', () => {
  const user = `latchkey_${process.pid}_${Math.random().toString(36).slice(2, 8)}`;
  let database: TestDatabase;
  let root: mysql.Connection;

  beforeAll(async () => {
    database = await createDatabase();
    root = await mysql.createConnection(process.env.TEST_MYSQL_URL!);
    await root.query(`CREATE USER '${user}'@'%' IDENTIFIED BY '${SECRET}'`);
  });
  afterAll(async () => {
    await root.query(`DROP USER '${user}'@'%'`);
    await root.end();
    await database.drop();
  });

  const as = (password: string, name = new URL(database.url).pathname): string => {
    const url = new URL(database.url);
    [url.username, url.password, url.pathname] = [user, password, name];
    return url.href;
  };

  test('because the password is wrong, says so', async () => {
    const message = await oneLine({ DATABASE_URL: as(`another ${SECRET}`) });
    expect(message).toContain('The database refuses this user or password: see DATABASE_URL.');
  });

  test('because there is no such database, says so', async () => {
    await root.query(`GRANT ALL ON \`no_such_database\`.* TO '${user}'@'%'`);
    const message = await oneLine({ DATABASE_URL: as(SECRET, '/no_such_database') });
    expect(message).toContain('The server has no such database: create it first, or see DATABASE_URL.');
  });

  test('because the database is not the user’s, says so', async () => {
    const message = await oneLine({ DATABASE_URL: as(SECRET) });
    expect(message).toContain('This user has no rights on the database: see DATABASE_URL.');
  });

  test('because the user may not make tables, says so', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await root.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON \`${name}\`.* TO '${user}'@'%'`);
    const message = await oneLine({ DATABASE_URL: as(SECRET) });
    expect(message).toContain(
      'This user may not create tables, which Latchkey does when it starts: grant the rights that docs/operating.md lists.',
    );
  });

  test('starts all the same where there is nothing to migrate', async () => {
    await migrate(readConfig({ DATABASE_URL: database.url }));
    const server = await startServer({ DATABASE_URL: as(SECRET) });
    expect(await server.stop()).toBe(0);
  });
});
