import { ConfigurationError } from '../config/config.js';
import { openSqlite, sqliteLibrary } from './sqlite-driver.js';

/** Finds packages as `require.resolve` does if only these are installed. */
const finds =
  (...installed: string[]) =>
  (name: string): string => {
    if (!installed.includes(name)) {
      throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });
    }
    return name;
  };

test.each([
  ['20.19.0', 'sqlite-for-node-20'],
  ['22.13.1', 'sqlite-for-node-20'],
  ['22.14.0', 'better-sqlite3-13'],
  ['24.11.0', 'better-sqlite3-13'],
  ['26.12.1', 'better-sqlite3-13'],
])('Node %s loads %s if both libraries are installed', (version, name) => {
  expect(sqliteLibrary(version, finds('better-sqlite3-13', 'sqlite-for-node-20'))).toBe(name);
});

test('a manually installed better-sqlite3 is loaded if the bundled library is missing', () => {
  expect(sqliteLibrary('20.20.2', finds('better-sqlite3'))).toBe('better-sqlite3');
});

test.each([
  ['20.20.2', /for Node 20\.20\.2 is not installed.*`npm ci` or `npm install better-sqlite3@12`/],
  ['26.12.1', /for Node 26\.12\.1 is not installed.*`npm ci`\.$/],
])('Node %s without a library gets an error with the command that installs one', (version, message) => {
  expect(() => sqliteLibrary(version, finds())).toThrow(ConfigurationError);
  expect(() => sqliteLibrary(version, finds())).toThrow(message);
});

test('an error other than a missing package is rethrown', () => {
  const damaged = (): string => {
    throw new Error('damaged');
  };
  expect(() => sqliteLibrary('26.12.1', damaged)).toThrow('damaged');
});

test('the library of this version of Node opens databases', () => {
  const database = openSqlite(':memory:');
  expect(database.prepare('SELECT 1 + 1 AS two').get()).toEqual({ two: 2 });
  database.close();
});
