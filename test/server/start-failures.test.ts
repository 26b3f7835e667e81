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
async function failedStart(environment: Record<string, string>, runBy: string[] = []): Promise<string> {
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
async function failureLine(environment: Record<string, string>, runBy: string[] = []): Promise<string> {
  const message = await failedStart(environment, runBy);
  expect(message).toMatch(/^Latchkey does not start[.:] [^\n]+\n$/);
  return message;
}

once('a process that cannot start exits with one message that says why and what to do', () => {
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

  describe('because of its command or address:', () => {
    test('the command is unknown', async () => {
      const run = await runToEnd({ DATABASE_URL: `sqlite:${file}` }, ['--help']);
      expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('reset-password <email>')]);
      expect(existsSync(file)).toBe(false);
    });

    test('the port is in use', async () => {
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const { port } = other.address() as { port: number };
      try {
        const message = await failureLine({ DATABASE_URL: `sqlite:${file}`, PORT: String(port) });
        expect(message).toContain(`end it, or set PORT. (listen EADDRINUSE: address already in use 127.0.0.1:${port})`);
      } finally {
        other.close();
      }
    });

    (FREE_PORTS_FROM > 1 ? test : test.skip)('the port is privileged', async () => {
      const message = await failureLine({ DATABASE_URL: `sqlite:${file}`, PORT: '1' }, POWERLESS);
      expect(message).toContain('This user may not listen on this port: set PORT to 1024 or more.');
    });

    test('this machine does not have the address', async () => {
      const message = await failureLine({ DATABASE_URL: `sqlite:${file}`, HOST: '203.0.113.7' });
      expect(message).toContain('HOST is not an address of this machine: set HOST to one, such as 127.0.0.1.');
    });

    test('the host name is unknown', async () => {
      const message = await failureLine({ DATABASE_URL: `sqlite:${file}`, HOST: 'no-such-host.invalid' });
      expect(message).toMatch(/set HOST\./);
      expect(message).not.toContain('database');
    });
  });

  describe('because its SQLite file', () => {
    test('is in a folder that it may not write to', async () => {
      chmodSync(folder, 0o500);
      const message = await failureLine({ DATABASE_URL: `sqlite:${file}` }, POWERLESS);
      expect(message).toContain(
        'This user may not write the database file: check DATABASE_URL and the permissions of its folder',
      );
    });

    test('is in a folder that it may not create', async () => {
      chmodSync(folder, 0o500);
      const message = await failureLine(
        { DATABASE_URL: `sqlite:${join(folder, 'data', 'latchkey.sqlite')}` },
        POWERLESS,
      );
      expect(message).toContain(
        'This user may not write the database file: check DATABASE_URL and the permissions of its folder',
      );
    });

    test('may not be written', async () => {
      writeFileSync(file, '', { mode: 0o400 });
      const message = await failureLine({ DATABASE_URL: `sqlite:${file}` }, POWERLESS);
      expect(message).toContain('This user may not write the database file');
    });

    test('is not a database', async () => {
      writeFileSync(file, 'Dear diary, today I was mistaken for a database.\n'.repeat(100));
      const message = await failureLine({ DATABASE_URL: `sqlite:${file}` });
      expect(message).toContain('The file that DATABASE_URL names is not a SQLite database.');
    });

    test('is damaged', async () => {
      await migrate(readConfig({ DATABASE_URL: `sqlite:${file}` }));
      truncateSync(file, 8192);
      const message = await failureLine({ DATABASE_URL: `sqlite:${file}` });
      expect(message).toContain('The database file is damaged: restore a backup.');
    });

    test('is a folder', async () => {
      mkdirSync(file);
      const message = await failureLine({ DATABASE_URL: `sqlite:${file}` });
      expect(message).toContain('DATABASE_URL does not name a file that can be opened: it is a folder');
    });

    test.each(['latchkey.sqlite', 'data/latchkey.sqlite'])('is %s in a path that names a file', async (path) => {
      writeFileSync(file, '');
      const message = await failureLine({ DATABASE_URL: `sqlite:${file}/${path}` });
      expect(message).toContain('A part of the path in DATABASE_URL is a file, not a folder.');
    });
  });

  describe('because its environment is invalid', () => {
    test('and the message lists all faults by variable, without values', async () => {
      const message = await failedStart({
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

  describe('because MySQL cannot be reached:', () => {
    const url = (port: number, host = '127.0.0.1'): string => `mysql://latchkey:${SECRET}@${host}:${port}/latchkey`;

    /** Starts a server that is not MySQL. `does` says how it treats clients. */
    async function listening(does: 'close' | 'send nothing'): Promise<{ server: Server; port: number }> {
      const server = createServer((socket) => {
        socket.on('error', () => socket.destroy());
        if (does === 'close') {
          socket.destroy();
        }
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return { server, port: (server.address() as { port: number }).port };
    }

    test('its port is closed', async () => {
      const message = await failureLine({ DATABASE_URL: url(await freePort()) });
      expect(message).toContain('The database cannot be reached: is it running? See DATABASE_URL.');
    });

    test('its host is unknown', async () => {
      const message = await failureLine({ DATABASE_URL: url(3306, 'no-such-host.invalid') });
      expect(message).toMatch(
        /The database cannot be reached: its host (is unknown|could not be looked up)\. See DATABASE_URL\./,
      );
    });

    test.each([
      ['closes the connection', 'close', 'it closed the connection'],
      ['sends nothing', 'send nothing', 'it did not answer in time'],
    ] as const)('its server %s', async (_what, does, words) => {
      const { server, port } = await listening(does);
      try {
        const message = await failureLine({ DATABASE_URL: url(port) });
        expect(message).toContain(`The database cannot be reached: ${words}. See DATABASE_URL.`);
      } finally {
        server.close();
      }
    });
  });

  describe('because the MySQL server', () => {
    const tooMany = { code: 1040, message: 'Too many connections' };
    const cases: [what: string, character: Character, words: string, parameters?: string][] = [
      [
        'is frozen after it has accepted the connection',
        'silent',
        'The database cannot be reached: it did not answer in time.',
      ],
      ['has no connection left', { refusing: tooMany }, 'raise max_connections, or lower DATABASE_POOL_SIZE.'],
      [
        'offers no TLS although DATABASE_URL requires it',
        'silent',
        'The database offers no TLS: see DATABASE_URL.',
        '?ssl=true',
      ],
    ];
    test.each(cases)('%s', async (_what, character, words, parameters = '') => {
      const standIn = await startMysqlStandIn(character);
      try {
        expect(await failureLine({ DATABASE_URL: standIn.url + parameters })).toContain(words);
      } finally {
        standIn.close();
      }
    });

    test.each(['5.7.44', '8.0.36', '8.3.0', '11.4.2-MariaDB-ubu2404', '5.5.5-10.11.6-MariaDB'])(
      'has the unsupported version %s',
      async (version) => {
        const standIn = await startMysqlStandIn({ version });
        try {
          expect(await failedStart({ DATABASE_URL: standIn.url })).toBe(
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

  test('does not start on a database that a newer version has migrated, and changes nothing', async () => {
    await migrate(readConfig({ DATABASE_URL: database.url }));
    await runSql(
      database,
      "INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'OfTomorrow9999999999999')",
    );
    const before = await readTables(database);
    expect(await failedStart({ DATABASE_URL: database.url })).toBe(
      'The database has been used by a newer version of Latchkey: this one does not know OfTomorrow9999999999999. ' +
        'Start the newer version, or restore the backup from before the upgrade.\n',
    );
    expect(await readTables(database)).toEqual(before);
  });
});

onMysql('a process with an incomplete account on MySQL', () => {
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

  test('reports a wrong password', async () => {
    const message = await failureLine({ DATABASE_URL: as(`another ${SECRET}`) });
    expect(message).toContain('The database refuses this user or password: see DATABASE_URL.');
  });

  test('reports that the database does not exist', async () => {
    await root.query(`GRANT ALL ON \`no_such_database\`.* TO '${user}'@'%'`);
    const message = await failureLine({ DATABASE_URL: as(SECRET, '/no_such_database') });
    expect(message).toContain('The server has no such database: create it first, or see DATABASE_URL.');
  });

  test('reports that its user has no rights on the database', async () => {
    const message = await failureLine({ DATABASE_URL: as(SECRET) });
    expect(message).toContain('This user has no rights on the database: see DATABASE_URL.');
  });

  test('reports that its user may not create tables', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await root.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON \`${name}\`.* TO '${user}'@'%'`);
    const message = await failureLine({ DATABASE_URL: as(SECRET) });
    expect(message).toContain(
      'This user may not create tables, which Latchkey does when it starts: grant the rights that docs/operating.md lists.',
    );
  });

  test('starts without the right to create tables if there is nothing to migrate', async () => {
    await migrate(readConfig({ DATABASE_URL: database.url }));
    const server = await startServer({ DATABASE_URL: as(SECRET) });
    expect(await server.stop()).toBe(0);
  });
});
