import { accessSync, closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import mysql, { type Connection, type ConnectionOptions, type PoolOptions, type TypeCastField } from 'mysql2';
import { type ColumnType, DataSource, type DataSourceOptions, getMetadataArgsStorage } from 'typeorm';
import type { Config } from '../config/config.js';
import { boundWaits } from './bounded-pool.js';
import { type MigrationClass, MIGRATIONS } from './migrations/migrations.js';
import { sqliteDriver, type SqliteDatabase } from './sqlite-driver.js';

/** The two database engines that Latchkey supports. */
export type Engine = 'mysql' | 'sqlite';

/** Returns the engine of a configuration. */
export function engineOf(config: Config): Engine {
  return config.DATABASE_URL.startsWith('mysql:') ? 'mysql' : 'sqlite';
}

/** Returns the engine of a transaction or a query. */
export function engineIn({ dataSource }: { readonly dataSource: DataSource }): Engine {
  return dataSource.options.type === 'mysql' ? 'mysql' : 'sqlite';
}

/** Returns the absolute path of the SQLite file. */
export function sqliteFile(config: Config): string {
  return resolve(config.DATABASE_URL.slice('sqlite:'.length));
}

/**
 * The settings of every MySQL connection, whatever the server's defaults are. With `autocommit=0`, a connection would
 * keep reading an old snapshot, including deleted keys.
 */
const MYSQL_SESSION = `SET SESSION autocommit=1, transaction_isolation='READ-COMMITTED', time_zone='+00:00', collation_connection='utf8mb4_0900_bin', innodb_lock_wait_timeout=5, sql_mode='STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY'`;

/** Refuses writes outside `READ WRITE` transactions, which only the transaction runner starts. */
export const READ_ONLY_SESSION = `${MYSQL_SESSION}, transaction_read_only=ON`;
/** Additional setting of the pool: a process that is frozen before its COMMIT holds its locks for up to 20 s. */
const POOL_SESSION = `${READ_ONLY_SESSION}, wait_timeout=20`;
/** Ends of authority wait only briefly for each lock, and try again. */
const ENDS_SESSION = `${POOL_SESSION}, innodb_lock_wait_timeout=1`;
/** Connections of one process that only ends of authority use. */
const ENDS_POOL_SIZE = 2;

/**
 * Returns the options for connecting to the MySQL server of a configuration. `?ssl=true` requires TLS with a valid
 * certificate.
 */
export function mysqlOptions(config: Config): ConnectionOptions {
  const url = new URL(config.DATABASE_URL);
  return {
    // An IPv6 address has brackets only in a URL.
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 3306 : Number(url.port),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    charset: 'utf8mb4',
    timezone: 'Z',
    supportBigNumbers: true,
    connectTimeout: 5000,
    // Without this flag, an INSERT that finds an existing row counts it as affected, so that skipped duplicates cannot
    // be recognised.
    flags: ['-FOUND_ROWS'],
    ...(url.searchParams.get('ssl') === 'true' && { ssl: {} }),
  };
}

/** Applies the settings to a new connection. If that fails, the connection is not used. */
function configureMysql(connection: Connection, session: string): void {
  connection.query(session, (error) => {
    if (error) {
      connection.destroy();
    }
  });
}

/**
 * Applies the settings of every SQLite connection. It disables SQLite's own waiting for locks, which would block the
 * event loop.
 */
export function configureSqlite(database: SqliteDatabase): void {
  database.pragma('busy_timeout = 0');
  database.pragma('foreign_keys = ON');
  database.pragma('case_sensitive_like = ON');
  if (!database.readonly) {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
  }
}

/** Creates a SQLite file and its folder, if they are missing, with access for their owner only. */
export function createSqliteFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    // Must not open an existing file: closing it would release all locks that this process holds on it.
    closeSync(openSync(file, 'ax', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
    accessSync(file, constants.W_OK);
  }
}

/** Returns the options of the data source for reads outside transactions. On SQLite it is read-only. */
export function readingOptions(config: Config): DataSourceOptions {
  return options(config, true);
}

/** Returns the options of the data source for transactions. */
export function writingOptions(config: Config): DataSourceOptions {
  return options(config, false);
}

/**
 * Returns the options of the data source for ends of authority on MySQL. Its connections are separate from the pool.
 */
export function endingOptions(config: Config): DataSourceOptions {
  return options(config, false, { session: ENDS_SESSION, poolSize: ENDS_POOL_SIZE });
}

/** Returns the options of the data source for migrations, without a timeout: changing a large table takes time. */
export function migratingOptions(config: Config, migrations: readonly MigrationClass[]): DataSourceOptions {
  return { ...options(config, false, { waitMs: Infinity, session: MYSQL_SESSION }), migrations: [...migrations] };
}

function options(
  config: Config,
  readonly: boolean,
  {
    waitMs = config.DATABASE_WAIT_MS,
    session = POOL_SESSION,
    poolSize = config.DATABASE_POOL_SIZE,
  }: { waitMs?: number; session?: string; poolSize?: number } = {},
): DataSourceOptions {
  const common = {
    entities: getMetadataArgsStorage().tables.map((table) => table.target),
    migrations: [...MIGRATIONS],
    migrationsTableName: 'migrations',
    synchronize: false,
    logging: false,
  };
  switch (engineOf(config)) {
    case 'mysql': {
      const { host, port, user, password, database, ssl, ...extra } = mysqlOptions(config);
      return {
        ...common,
        type: 'mysql',
        driver: mysqlDriver(waitMs, session),
        host,
        port,
        username: user,
        password: password as string,
        database,
        charset: extra.charset,
        timezone: extra.timezone,
        supportBigNumbers: true,
        flags: extra.flags as string[],
        connectTimeout: extra.connectTimeout,
        poolSize,
        ...(typeof ssl === 'object' && { ssl }),
      };
    }
    case 'sqlite':
      return {
        ...common,
        type: 'better-sqlite3',
        driver: sqliteDriver(),
        database: sqliteFile(config),
        readonly,
        fileMustExist: true,
        timeout: 0,
        prepareDatabase: configureSqlite,
      };
  }
}

/** mysql2 parses decimals digit by digit, and gets the last digits wrong. */
function readDoublesExactly(field: TypeCastField, next: () => unknown): unknown {
  if (field.type !== 'DOUBLE') {
    return next();
  }
  const text = field.string();
  return text === null ? null : Number(text);
}

/** Returns mysql2 with settings for every connection of every pool, and with a limit for every wait. */
function mysqlDriver(waitMs: number, session: string): object {
  return {
    ...mysql,
    createPool: (poolOptions: PoolOptions) => {
      const pool = mysql.createPool({ ...poolOptions, typeCast: readDoublesExactly });
      pool.on('connection', (connection) => configureMysql(connection, session));
      return Number.isFinite(waitMs) ? boundWaits(pool, waitMs) : pool;
    },
  };
}

/** Opens a data source. */
export async function connect(dataSourceOptions: DataSourceOptions): Promise<DataSource> {
  const dataSource = new DataSource(dataSourceOptions);
  if (dataSourceOptions.type === 'better-sqlite3') {
    // SQLite accepts any type name, and treats one with TEXT in it as text. Only TypeORM's list must know it.
    dataSource.driver.supportedDataTypes.push('mediumtext' as ColumnType);
  }
  return dataSource.initialize();
}
