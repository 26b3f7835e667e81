// Creates databases with any number of keys and endpoints in seconds. The service creates the tables and the first
// admin, and SQL inserts everything else.
import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import mysql from 'mysql2/promise';
import { mintSecret } from '../dist/access/secret.js';
import { openSqlite as openSqliteFile } from '../dist/database/sqlite-driver.js';
import { comeToRest, mysqlServer } from './mysql-server.mjs';
import { startProcess } from './processes.mjs';

export const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const ADMIN = { ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'a password for the bench' };
const NOW = Date.now();
const EXPIRY = NOW + 365 * 24 * 60 * 60 * 1000;
const APPLICATIONS = 20;
const ROWS_PER_STATEMENT = 5000;
const SERVICE = 'bench';

/**
 * Creates a database, and files of requests that are all allowed.
 *
 * @param size the database has `keys`, of which `inUse`, spread evenly, send the requests; `endpoints` are in the
 *   catalogue; each key has `grants` of them; every second key is limited to two Applications
 * @returns the `url` for Latchkey, and files of requests: `forwardAuth`, and `guarded` and `unguarded` routes
 */
export async function makeDatabase(folder, engine, name, size) {
  const { keys, inUse = keys, endpoints = 50, grants = 1 } = size;
  const database = engine === 'mysql' ? await openMysql(name) : openSqlite(folder, name);
  const setUp = await startProcess(MAIN, { DATABASE_URL: database.url, ...ADMIN }, join(folder, `${name}.set-up.log`));
  await setUp.stop();

  await database.beforeFilling?.();
  await database.insert(
    'applications (id, created, modified, name, name_key, description, timezone, currency, attributes)',
    rows(APPLICATIONS, (nth) => {
      const title = `Application ${nth + 1}`;
      return [[nth + 1, NOW, NOW, title, title.toLowerCase(), '', 'UTC', 'EUR', '{}']];
    }),
  );
  await database.insert(
    'services (id, service, created, modified, name, description, application_parameter, skipped)',
    rows(1, () => [[1, SERVICE, NOW, NOW, 'Bench', '', 'applicationId', '[]']]),
  );
  await database.insert(
    'service_endpoints (id, service_id, method, path, shape, application_scoped, summary, tag, deprecated)',
    rows(endpoints, (nth) => {
      const path = pathOf(nth);
      return [[nth + 1, 1, 'GET', path, path.replaceAll(/\{[^}]*\}/g, '{}'), 1, `Get thing ${nth}`, 'things', 0]];
    }),
  );
  await database.execute('UPDATE catalogue_revision SET revision = revision + 1');

  const files = Object.fromEntries(
    ['forwardAuth', 'guarded', 'unguarded'].map((kind) => [kind, join(folder, `${name}.${kind}.requests`)]),
  );
  const streams = Object.fromEntries(Object.entries(files).map(([kind, file]) => [kind, createWriteStream(file)]));
  const step = Math.floor(keys / inUse);
  await database.insert(
    'api_keys (id, created, created_by, name, name_key, key_hash, hint, expiry_date, all_applications)',
    rows(keys, (nth) => {
      const id = nth + 1;
      let hash;
      // Every second key in use is limited to Applications, whatever the step is: the keys with even numbers.
      const order = Math.floor(nth / step);
      if (order < inUse && nth % step === (step % 2 === 0 ? order % 2 : 0)) {
        const key = mintSecret('lkm_');
        hash = createHash('sha256').update(key).digest('hex');
        writeRequests(streams, key, 1 + (nth % APPLICATIONS), pathOf((nth + (nth % grants)) % endpoints));
      } else {
        hash = randomBytes(32).toString('hex');
      }
      return [[id, NOW, 1, `Key ${id}`, `key ${id}`, hash, 'lkm_0000', EXPIRY, nth % 2]];
    }),
  );
  await Promise.all(Object.values(streams).map((stream) => once(stream.end(), 'finish')));
  await database.insert(
    'api_key_applications (api_key_id, application_id)',
    rows(keys, (nth) =>
      nth % 2 === 1
        ? []
        : [
            [nth + 1, 1 + (nth % APPLICATIONS)],
            [nth + 1, 1 + ((nth + 7) % APPLICATIONS)],
          ],
    ),
  );
  await database.insert(
    'api_key_endpoints (api_key_id, position, service, method, path, service_id, application_parameter)',
    rows(keys, (nth) => [
      ...Array.from({ length: grants }, (_, position) => [
        nth + 1,
        position,
        SERVICE,
        'GET',
        pathOf((nth + position) % endpoints),
        1,
        'applicationId',
      ]),
      // The grant of the guarded route. Other sizes omit it, so that their keys have exactly `grants` grants.
      ...(size.route
        ? [[nth + 1, grants, 'management', 'GET', '/v1/bench/guarded/{applicationId}', 0, 'applicationId']]
        : []),
    ]),
  );
  await database.afterFilling();
  return { ...database, ...files };
}

/** Writes one request of each kind that a key is allowed. */
function writeRequests(streams, key, applicationId, template) {
  const authorization = `Authorization: ManagementKey-v1 ${key}`;
  const path = template.replace('{applicationId}', applicationId).replace('{itemId}', '4711');
  streams.forwardAuth.write(
    `GET\t/v1/forward_auth/original/${SERVICE}\t${authorization}\tX-Original-Method: GET\tX-Original-URI: ${path}?page=1\n`,
  );
  streams.guarded.write(`GET\t/v1/bench/guarded/${applicationId}\t${authorization}\n`);
  streams.unguarded.write(`GET\t/v1/bench/unguarded/${applicationId}\t${authorization}\n`);
}

/** Returns the template of the nth endpoint of the catalogue. */
function pathOf(nth) {
  return `/v1/applications/{applicationId}/things${nth}/{itemId}`;
}

/** Writes requests for Better Auth, with keys that it created itself. */
export function writePeerRequests(file, keys) {
  const lines = keys.map((key, nth) => `GET\t/things${nth % 50}\tx-api-key: ${key}\n`);
  writeFileSync(file, lines.join(''));
}

function* rows(amount, make) {
  for (let nth = 0; nth < amount; nth += 1) {
    yield* make(nth);
  }
}

function* batches(all) {
  let batch = [];
  for (const row of all) {
    batch.push(row);
    if (batch.length === ROWS_PER_STATEMENT) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) {
    yield batch;
  }
}

/** Creates an empty database of this name on the MySQL server of the bench. */
export async function openMysql(name) {
  const url = mysqlServer();
  const connection = await mysql.createConnection(url.href);
  const database = `latchkey_bench_${name}`;
  url.pathname = `/${database}`;
  await connection.query(`DROP DATABASE IF EXISTS ${database}`);
  await connection.query(`CREATE DATABASE ${database}`);
  await connection.query(`USE ${database}`);
  return {
    url: url.href,
    execute: (sql) => connection.query(sql),
    insert: async (target, all) => {
      for (const batch of batches(all)) {
        await connection.query(`INSERT INTO ${target} VALUES ?`, [batch]);
      }
    },
    // Building an index at the end takes a fraction of the time of updating it for rows in random order.
    beforeFilling: async () => {
      await connection.query('SET SESSION foreign_key_checks = 0');
      await connection.query('ALTER TABLE api_keys DROP INDEX uq_api_keys_key_hash');
    },
    afterFilling: async () => {
      await connection.query('ALTER TABLE api_keys ADD UNIQUE INDEX uq_api_keys_key_hash (key_hash)');
      await connection.query('ANALYZE TABLE api_keys, api_key_applications, api_key_endpoints, service_endpoints');
      await comeToRest(connection);
    },
    /** Returns how many statements MySQL has run in this database since its start, from any client. */
    statements: async () => {
      const [[row]] = await connection.query(
        'SELECT SUM(COUNT_STAR) AS amount FROM performance_schema.events_statements_summary_by_digest WHERE SCHEMA_NAME = ?',
        [database],
      );
      return Number(row.amount);
    },
    version: async () => (await connection.query('SELECT VERSION() AS version'))[0][0].version,
    drop: async () => {
      await connection.query(`DROP DATABASE ${database}`);
      await connection.end();
    },
  };
}

function openSqlite(folder, name) {
  const file = join(folder, `${name}.sqlite`);
  let database;
  const open = () => (database ??= openSqliteFile(file));
  return {
    url: `sqlite:${file}`,
    execute: async (sql) => open().exec(sql),
    insert: async (target, all) => {
      const columns = target.split(',').length;
      const statement = open().prepare(`INSERT INTO ${target} VALUES (${Array(columns).fill('?').join(', ')})`);
      open().transaction(() => {
        for (const row of all) {
          statement.run(row);
        }
      })();
    },
    afterFilling: async () => {
      open().exec('ANALYZE');
      open().pragma('wal_checkpoint(TRUNCATE)');
      open().close();
    },
    drop: async () => undefined,
  };
}
