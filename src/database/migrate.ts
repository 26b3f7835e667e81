import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import mysql from 'mysql2/promise';
import type { DataSource } from 'typeorm';
import { type Config, ConfigurationError } from '../config/config.js';
import { isSqliteBusy } from './driver-errors.js';
import { connect, createSqliteFile, engineOf, migratingOptions, mysqlOptions, sqliteFile } from './data-source.js';

/** How long a process waits for another one that is migrating or making the first admin. */
const LOCK_WAIT_MS = 120_000;

/**
 * Does something that only one process at a time may do at its start, whichever of several gets there first.
 * The lock ends with the process that holds it.
 */
export async function withStartLock<Result>(config: Config, work: () => Promise<Result>): Promise<Result> {
  switch (engineOf(config)) {
    case 'mysql': {
      const options = mysqlOptions(config);
      const connection = await mysql.createConnection(options);
      try {
        // Names of locks are shared by all databases of a server.
        const name = `latchkey:${options.database}`.slice(0, 64);
        const [rows] = await connection.query('SELECT GET_LOCK(?, ?) AS locked', [name, LOCK_WAIT_MS / 1000]);
        if ((rows as { locked: number }[])[0]?.locked !== 1) {
          throw new Error('another process holds the lock of the database for too long');
        }
        return await work();
      } finally {
        await connection.end();
      }
    }
    case 'sqlite': {
      const file = sqliteFile(config);
      const lockFile = `${file}.lock`;
      createSqliteFile(file);
      createSqliteFile(lockFile);
      const lock = new Database(lockFile, { timeout: 0 });
      try {
        await lockExclusively(lock);
        return await work();
      } finally {
        lock.close();
      }
    }
  }
}

async function lockExclusively(lock: Database.Database): Promise<void> {
  const deadline = performance.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      lock.exec('BEGIN EXCLUSIVE');
      return;
    } catch (error) {
      if (!isSqliteBusy(error) || performance.now() > deadline) {
        throw error;
      }
      await sleep(20 + Math.random() * 30);
    }
  }
}

/** Brings the database to the newest schema; several processes may call it at once. */
export async function migrate(config: Config): Promise<void> {
  await withStartLock(config, async () => {
    const dataSource = await connect(migratingOptions(config));
    try {
      await refuseUnsupportedServer(dataSource);
      await dataSource.runMigrations({ transaction: engineOf(config) === 'sqlite' ? 'each' : 'none' });
    } finally {
      await dataSource.destroy();
    }
  });
}

async function refuseUnsupportedServer(dataSource: DataSource): Promise<void> {
  if (dataSource.options.type !== 'mysql') {
    return;
  }
  const rows: { version: string }[] = await dataSource.query('SELECT VERSION() AS version');
  const version = rows[0]!.version;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (/mariadb/i.test(version) || major < 8 || (major === 8 && minor < 4)) {
    throw new ConfigurationError(
      `DATABASE_URL names a ${version} server; Latchkey runs on MySQL 8.4 to 9.x (MariaDB is not supported).`,
    );
  }
}
