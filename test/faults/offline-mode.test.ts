import { randomUUID } from 'node:crypto';
import mysql from 'mysql2/promise';
import type { TestDatabase } from '../support/harness.js';
import { createDatabaseOn, FaultyMysql } from './faulty-mysql.js';
import { Load } from './load.js';
import { everyKind, type Service, startService } from './service.js';
import { until } from './until.js';

const WITHIN_MS = 30_000;

describe('a MySQL server in offline_mode, like a member that was expelled from its group', () => {
  const account = { name: `latchkey_${randomUUID().slice(0, 8)}`, password: randomUUID() };
  let database: TestDatabase;
  let service: Service;
  let root: mysql.Connection;

  beforeAll(async () => {
    database = await createDatabaseOn('mysql');
    root = await mysql.createConnection((await FaultyMysql.start()).url);
    const url = new URL(database.url);
    await root.query(`CREATE USER ?@'%' IDENTIFIED BY ?`, [account.name, account.password]);
    // The privileges that docs/operating.md says an account needs. An account that may administrate the server would
    // not be refused.
    await root.query(
      `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON ${url.pathname.slice(1)}.* TO ?@'%'`,
      [account.name],
    );
    [url.username, url.password] = [account.name, account.password];
    service = await startService(url.href);
  }, 120_000);
  afterAll(async () => {
    await root.query('SET GLOBAL offline_mode = 0');
    await service.server.stop();
    await root.query(`DROP USER ?@'%'`, [account.name]);
    await root.end();
    await database.drop();
  });

  test('causes only 503s, and everything recovers by itself when it accepts clients again', async () => {
    const kinds = everyKind(service);
    const load = new Load(service.server.url, kinds);
    try {
      await load.goesWell(3, WITHIN_MS);
      await root.query('SET GLOBAL offline_mode = 1');
      const began = performance.now();
      const during = () => load.records.filter((record) => record.began > began);
      const incompleteKinds = () =>
        Object.keys(kinds).filter((kind) => during().filter((record) => record.kind === kind).length < 3);
      await until('all kinds of requests have responses meanwhile', () => incompleteKinds().length === 0, WITHIN_MS);
      expect(during().filter(({ status }) => status !== 503)).toEqual([]);
      await root.query('SET GLOBAL offline_mode = 0');
      await load.goesWell(3, WITHIN_MS);
    } finally {
      await load.stop();
    }
    expect(load.faults.slice(0, 20)).toEqual([]);
  }, 120_000);
});
