import mysql from 'mysql2/promise';
import { openSqlite } from '../../src/database/sqlite-driver.js';
import type { TestDatabase } from './harness.js';

/** A row as the database returns it. */
export type Row = Record<string, unknown>;

/** A direct connection to the database. */
export interface SqlConnection {
  /** Runs one statement, and resolves with its rows. */
  run(sql: string): Promise<Row[]>;
  close(): Promise<void>;
}

/** Opens a direct connection to a database. */
export async function openSql({ url, engine }: Pick<TestDatabase, 'url' | 'engine'>): Promise<SqlConnection> {
  if (engine === 'sqlite') {
    const connection = openSqlite(url.slice('sqlite:'.length));
    return {
      run: async (sql) => {
        const statement = connection.prepare(sql);
        return statement.reader ? (statement.all() as Row[]) : (statement.run(), []);
      },
      close: async () => void connection.close(),
    };
  }
  const connection = await mysql.createConnection(url);
  return {
    run: async (sql) => {
      const [rows] = await connection.query(sql);
      return Array.isArray(rows) ? (rows as Row[]) : [];
    },
    close: () => connection.end(),
  };
}

/** Runs one statement directly on a database, and resolves with its rows. */
export async function runSql(database: Pick<TestDatabase, 'url' | 'engine'>, sql: string): Promise<Row[]> {
  const connection = await openSql(database);
  try {
    return await connection.run(sql);
  } finally {
    await connection.close();
  }
}

/** Runs a script of many statements on a database. `\` has no special meaning in it. */
export async function runScript({ url, engine }: Pick<TestDatabase, 'url' | 'engine'>, script: string): Promise<void> {
  if (engine === 'sqlite') {
    const connection = openSqlite(url.slice('sqlite:'.length));
    try {
      connection.pragma('foreign_keys = OFF');
      connection.exec(script);
    } finally {
      connection.close();
    }
    return;
  }
  const connection = await mysql.createConnection({ uri: url, multipleStatements: true });
  try {
    await connection.query("SET SESSION foreign_key_checks = 0, sql_mode = 'NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES'");
    await connection.query(script);
  } finally {
    await connection.end();
  }
}

/** Returns every row of every table, by the table's name. Both engines return rows in the order of the primary key. */
export async function readTables(database: Pick<TestDatabase, 'url' | 'engine'>): Promise<Record<string, Row[]>> {
  const tables = await runSql(
    database,
    database.engine === 'sqlite'
      ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name"
      : 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name',
  );
  const entries: [string, Row[]][] = [];
  for (const { name } of tables as { name: string }[]) {
    entries.push([name, await runSql(database, `SELECT * FROM ${name}`)]);
  }
  return Object.fromEntries(entries);
}
