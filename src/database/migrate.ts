import mysql from 'mysql2/promise';
import { type DataSource, MigrationExecutor } from 'typeorm';
import { type Config, ConfigurationError } from '../config/config.js';
import {
  connect,
  createSqliteFile,
  type Engine,
  engineOf,
  migratingOptions,
  mysqlOptions,
  sqliteFile,
} from './data-source.js';
import { MIGRATIONS } from './migrations/migrations.js';
import { retryWhileBusy } from './sqlite-busy.js';
import { openSqlite } from './sqlite-driver.js';
import { tryNamedLock } from './transactions/named-lock.js';

/** How long a process waits for another one that migrates or creates the first admin. */
const LOCK_WAIT_MS = 120_000;
/** Timeout for queries that are trivial for the server. */
const ANSWER_WAIT_MS = 10_000;

/** Runs work that only one process at a time may do at its start. The lock ends with the process that holds it. */
export async function withStartLock<Result>(config: Config, work: () => Promise<Result>): Promise<Result> {
  switch (engineOf(config)) {
    case 'mysql': {
      const options = mysqlOptions(config);
      const connection = await mysql.createConnection(options);
      try {
        // Checked first, because other servers do not even know the settings of our connections.
        await refuseUnsupportedServer(connection);
        // All databases of a server share the names of locks.
        const name = `latchkey:${options.database}`.slice(0, 64);
        const timeout = LOCK_WAIT_MS + ANSWER_WAIT_MS;
        const query = async (sql: string, values: unknown[]): Promise<unknown> =>
          (await connection.query({ sql, values, timeout }))[0];
        if (!(await tryNamedLock(query, name, LOCK_WAIT_MS / 1000))) {
          throw new Error('another process holds the lock of the database for too long');
        }
        const result = await work();
        await connection.end();
        return result;
      } catch (error) {
        // Closes the connection without a handshake, because the server may not respond any more.
        connection.destroy();
        throw error;
      }
    }
    case 'sqlite': {
      const file = sqliteFile(config);
      const lockFile = `${file}.lock`;
      createSqliteFile(file);
      createSqliteFile(lockFile);
      const lock = openSqlite(lockFile, { timeout: 0 });
      try {
        const deadline = performance.now() + LOCK_WAIT_MS;
        await retryWhileBusy(() => lock.exec('BEGIN EXCLUSIVE'), {
          pause: [20, 50],
          giveUp: () => performance.now() > deadline,
        });
        return await work();
      } finally {
        lock.close();
      }
    }
  }
}

async function refuseUnsupportedServer(connection: mysql.Connection): Promise<void> {
  const [rows] = await connection.query({ sql: 'SELECT VERSION() AS version', timeout: ANSWER_WAIT_MS });
  const { version } = (rows as { version: string }[])[0]!;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (/mariadb/i.test(version) || major < 8 || (major === 8 && minor < 4)) {
    throw new ConfigurationError(
      `DATABASE_URL names a ${version} server; Latchkey runs on MySQL 8.4 to 9.x (MariaDB is not supported).`,
    );
  }
}

/** A migration failed. `driverError` is the error of the driver. */
class MigrationFailure extends Error {
  constructor(
    name: string,
    engine: Engine,
    readonly driverError: unknown,
  ) {
    const cause = driverError instanceof Error ? driverError.message : String(driverError);
    const left = {
      sqlite: 'Nothing of it is left in the database. Mend the cause and start again.',
      mysql:
        'MySQL cannot undo a change of a table, so what it had done until then is still there. ' +
        'Remove the cause and start again: the migration continues from there. Or restore the backup from before the upgrade.',
    }[engine];
    super(`The migration ${name} failed: ${cause}. ${left}`);
  }
}

/**
 * Migrates the database to the newest schema. Several processes may call it at once. Tests pass their own migrations.
 */
export async function migrate(config: Config, migrations = MIGRATIONS): Promise<void> {
  await withStartLock(config, async () => {
    const dataSource = await connect(migratingOptions(config, migrations));
    try {
      await refuseNewerSchema(dataSource);
      await runMigrations(dataSource, engineOf(config));
    } finally {
      await dataSource.destroy();
    }
  });
}

async function runMigrations(dataSource: DataSource, engine: Engine): Promise<void> {
  try {
    await dataSource.runMigrations({ transaction: engine === 'sqlite' ? 'each' : 'none' });
  } catch (error) {
    throw new MigrationFailure(await firstPending(dataSource), engine, error);
  }
}

/** Refuses a newer schema, because an older version would write rows that lack data which the newer version needs. */
async function refuseNewerSchema(dataSource: DataSource): Promise<void> {
  const known = new Set(dataSource.migrations.map(({ name }) => name));
  const executed = await new MigrationExecutor(dataSource).getExecutedMigrations();
  const newer = executed.map(({ name }) => name).filter((name) => !known.has(name));
  if (newer.length > 0) {
    throw new ConfigurationError(
      `The database has been used by a newer version of Latchkey: this one does not know ${newer.reverse().join(', ')}. ` +
        'Start the newer version, or restore the backup from before the upgrade.',
    );
  }
}

/** Returns the next pending migration: after a failure, the one that failed. */
async function firstPending(dataSource: DataSource): Promise<string> {
  // If the database itself is unavailable, the pending migration is unknown.
  const pending = await new MigrationExecutor(dataSource).getPendingMigrations().catch(() => []);
  return pending[0]?.name ?? 'of the schema';
}
