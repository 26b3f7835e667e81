import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import mysql from 'mysql2/promise';
import { Clock } from '../../src/config/clock.js';
import { Config, readConfig } from '../../src/config/config.js';
import { createLogger, NestLogger } from '../../src/logging/logging.js';
import { APPLICATION_OPTIONS, createServerAdapter, prepareApplication } from '../../src/server/server.js';
import { OPENAPI_WORKER } from '../../src/services/documents/openapi-reader.js';
import { HASH_COST, type HashCost } from '../../src/users/passwords/passwords.js';
import { Client } from './client.js';

/** A clock that only tests move. */
export class TestClock extends Clock {
  private time = Date.parse('2026-11-23T12:00:00.000Z');

  override now(): number {
    return this.time;
  }

  set(time: string | number): void {
    this.time = new Date(time).getTime();
  }

  advance(milliseconds: number): void {
    this.time += milliseconds;
  }
}

/**
 * The database of one test file, which is deleted afterwards. `TEST_MYSQL_URL` selects MySQL. The default is a SQLite
 * file.
 */
export interface TestDatabase {
  url: string;
  engine: 'sqlite' | 'mysql';
  /** Returns the whole content of the database as text, to search it for what it must not contain. */
  dump(): Promise<string>;
  drop(): Promise<void>;
}

export const ADMIN_EMAIL = 'admin@example.com';
export const ADMIN_PASSWORD = 'correct horse battery';

/** Creates an empty database. */
export async function createDatabase(): Promise<TestDatabase> {
  const server = process.env.TEST_MYSQL_URL;
  return server ? createMysqlDatabase(server) : createSqliteDatabase();
}

/** Creates an empty SQLite database in its own folder. */
export function createSqliteDatabase(): TestDatabase {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-test-'));
  return {
    url: `sqlite:${join(folder, 'latchkey.sqlite')}`,
    engine: 'sqlite',
    dump: async () =>
      readdirSync(folder)
        .map((file) => readFileSync(join(folder, file), 'latin1'))
        .join('\n'),
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Creates an empty database on a MySQL server. */
export async function createMysqlDatabase(server: string): Promise<TestDatabase> {
  const name = `latchkey_test_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  const url = new URL(server);
  const admin = await mysql.createConnection({ uri: server, database: undefined });
  await admin.query(`CREATE DATABASE ${name}`);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    engine: 'mysql',
    dump: async () => {
      const [tables] = await admin.query(
        'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ?',
        [name],
      );
      const rows = await Promise.all(
        (tables as { name: string }[]).map(async (table) => {
          const [data] = await admin.query(`SELECT * FROM ${name}.${table.name} LIMIT 20000`);
          return JSON.stringify(data);
        }),
      );
      return rows.join('\n');
    },
    drop: async () => {
      await admin.query(`DROP DATABASE ${name}`);
      await admin.end();
    },
  };
}

/** A running service with its own database, a signed-in admin, and a clock that only tests move. */
export interface Latchkey {
  url: string;
  clock: TestClock;
  database: TestDatabase;
  /** Sends requests as the first admin. */
  admin: Client;
  /** Sends unauthenticated requests. */
  anonymous: Client;
  /** Returns a client with an `Authorization` header. */
  as(authorization: string): Client;
  /** Signs a user in, and returns their client. */
  signIn(email: string, password: string): Promise<Client>;
  /** Returns a provider of the running application, to test what HTTP does not show. */
  get<T>(token: abstract new (...parameters: never[]) => T): T;
  /** Returns everything that was logged so far. */
  log(): string;
  /** Stops the service, checks that no secret of this file was logged or stored, and drops the database. */
  close(): Promise<void>;
}

/** What a test may change in the application besides its environment. */
export interface StartOptions {
  /** Additional modules. */
  modules?: Type[];
  /** The instance whose database and clock to use. The new one is then its replica, and must be closed first. */
  original?: Pick<Latchkey, 'database' | 'clock'>;
  /** The cost of password hashes. It is minimal by default, except where timing is tested. */
  hashCost?: HashCost;
}

/** The minimum that argon2 accepts. */
const CHEAP: HashCost = { memoryCost: 8, timeCost: 1, parallelism: 1 };

/** Starts the real application on a free port, as `main.ts` does. */
export async function startLatchkey(
  environment: Record<string, string> = {},
  { modules = [], original, hashCost = CHEAP }: StartOptions = {},
): Promise<Latchkey> {
  const { database, clock } = original ?? { database: await createDatabase(), clock: new TestClock() };
  const lines: string[] = [];
  const logger = createLogger('trace', { write: (line: string) => void lines.push(line) });
  const config = readConfig({
    DATABASE_URL: database.url,
    PORT: '0',
    // A busy machine must not cause refusals, except in tests of timeouts.
    DECISION_WAIT_MS: '20000',
    ADMIN_EMAIL,
    ADMIN_PASSWORD,
    ...environment,
  });
  const { AppModule } = await import('../../src/app.module.js');
  const testing = await Test.createTestingModule({ imports: [AppModule, ...modules] })
    .overrideProvider(Config)
    .useValue(config)
    .overrideProvider(Clock)
    .useValue(clock)
    .overrideProvider(HASH_COST)
    .useValue(hashCost)
    // A thread loads its file with Node and not with jest, so it needs the built file.
    .overrideProvider(OPENAPI_WORKER)
    .useValue(new URL('../../dist/services/documents/openapi-worker.js', import.meta.url))
    .setLogger(new NestLogger(logger))
    .compile();
  const app = await prepareApplication(
    testing.createNestApplication(createServerAdapter(), APPLICATION_OPTIONS),
    logger,
  );
  await app.listen(0, '127.0.0.1');
  const url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  const secrets = new Set<string>();
  const as = (authorization?: string): Client => new Client(url, authorization, secrets);
  const signIn = async (email: string, password: string): Promise<Client> => {
    const answer = await as().post('/v1/sessions', { email, password });
    if (answer.status !== 201) {
      throw new Error(`sign-in of ${email} failed: ${JSON.stringify(answer.body)}`);
    }
    return as(`Bearer ${(answer.body as { token: string }).token}`);
  };
  return {
    url,
    clock,
    database,
    anonymous: as(),
    as,
    signIn,
    admin: await signIn(ADMIN_EMAIL, ADMIN_PASSWORD),
    get: (token) => app.get(token),
    log: () => lines.join(''),
    close: async () => {
      // Idle connections would otherwise have half a second to send a request.
      app.getHttpServer().closeIdleConnections();
      await app.close();
      const dump = await database.dump();
      if (!original) {
        await database.drop();
      }
      const log = lines.join('');
      for (const secret of secrets) {
        if (log.includes(secret) || dump.includes(secret)) {
          throw new Error(`a secret was ${log.includes(secret) ? 'logged' : 'stored'}: ${secret.slice(0, 8)}...`);
        }
      }
    },
  };
}
