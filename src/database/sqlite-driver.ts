import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';
import { ConfigurationError } from '../config/config.js';

/** An open SQLite file. */
export type SqliteDatabase = BetterSqlite3.Database;
/** A prepared query. */
export type SqliteStatement = BetterSqlite3.Statement<unknown[]>;

const require = createRequire(import.meta.url);

/**
 * Returns the packages that provide better-sqlite3 for a version of Node, in order of preference. Version 13 contains
 * its binaries and needs Node-API 10 (Node 22.14 and later). Older Nodes use version 12. It comes through a package of
 * ours, or is installed by hand if Latchkey was installed from an archive.
 */
function packagesFor(version: string): readonly string[] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const hasNodeApi10 = major > 22 || (major === 22 && minor >= 14);
  return hasNodeApi10 ? ['better-sqlite3-13', 'better-sqlite3'] : ['sqlite-for-node-20', 'better-sqlite3'];
}

/**
 * Returns the file name of the better-sqlite3 that runs on this version of Node. Throws a `ConfigurationError` if none
 * is installed.
 *
 * @param resolve finds a package, or throws; tests supply their own
 */
export function sqliteLibrary(
  version = process.versions.node,
  resolve: (name: string) => string = require.resolve,
): string {
  const packages = packagesFor(version);
  for (const name of packages) {
    try {
      return resolve(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') {
        throw error;
      }
    }
  }
  const fix = packages.includes('better-sqlite3-13')
    ? 'run `npm ci`'
    : 'run `npm ci` or `npm install better-sqlite3@12`';
  throw new ConfigurationError(
    `The SQLite library for Node ${version} is not installed. With this version of Node, ${fix}.`,
  );
}

/** Returns better-sqlite3 itself, for TypeORM. It is loaded at its first use, and therefore never on MySQL. */
export function sqliteDriver(): typeof BetterSqlite3 {
  return require(sqliteLibrary()) as typeof BetterSqlite3;
}

/** Opens a SQLite file. */
export function openSqlite(file: string, options?: BetterSqlite3.Options): SqliteDatabase {
  return new (sqliteDriver())(file, options);
}
