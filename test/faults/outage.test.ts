import type { TestDatabase } from '../harness.js';
import { createDatabaseOn, FaultyMysql } from './faulty-mysql.js';
import { Load } from './load.js';
import { everyKind, type Service, startService } from './service.js';
import { until } from './until.js';

const OUTAGE_MS = Number(process.env.FAULT_OUTAGE_MS ?? 10_000);
const RECOVERED_WITHIN_MS = 30_000;

interface Outage {
  begin(mysql: FaultyMysql): Promise<void> | void;
  end(mysql: FaultyMysql): Promise<void> | void;
}

const OUTAGES: { [name: string]: Outage } = {
  stopped: { begin: (mysql) => mysql.stop(), end: (mysql) => mysql.start() },
  killed: { begin: (mysql) => mysql.kill9(), end: (mysql) => mysql.start() },
  frozen: { begin: (mysql) => mysql.pause(), end: (mysql) => mysql.resume() },
};

function kindsAnsweredSince(load: Load, began: number): number {
  return new Set(load.records.filter((record) => record.began > began).map(({ kind }) => kind)).size;
}

describe(`while MySQL is gone for ${OUTAGE_MS} ms or more, under load`, () => {
  let mysql: FaultyMysql;
  let database: TestDatabase;
  let service: Service;

  beforeAll(async () => {
    mysql = await FaultyMysql.start();
    database = await createDatabaseOn('mysql');
    service = await startService(database.url);
  }, 60_000);
  afterAll(async () => {
    await service.server.stop();
    await mysql.start();
    await (await createDatabaseOn('mysql')).drop();
  }, 60_000);

  test.each(Object.keys(OUTAGES))(
    '%s: every request is answered with a 503 in time, and all goes on by itself afterwards',
    async (name) => {
      const kinds = everyKind(service);
      const kindCount = Object.keys(kinds).length;
      const load = new Load(service.server.url, kinds);
      try {
        await load.goesWell(5, RECOVERED_WITHIN_MS);
        await OUTAGES[name]!.begin(mysql);
        const began = performance.now();
        await until(
          'the outage has lasted, and all kinds of requests that began in it were answered',
          () => performance.now() - began > OUTAGE_MS && kindsAnsweredSince(load, began) === kindCount,
          OUTAGE_MS + RECOVERED_WITHIN_MS,
        );
        const alive = await fetch(`${service.server.url}/health/live`);
        const ended = performance.now();
        expect(alive.status).toBe(200);
        await OUTAGES[name]!.end(mysql);
        await load.goesWell(5, RECOVERED_WITHIN_MS);

        const during = load.records.filter((record) => record.began > began && record.ended < ended);
        expect(during.filter(({ status }) => status !== 503)).toEqual([]);
      } finally {
        mysql.resume();
        await load.stop();
      }
      expect(load.faults.slice(0, 20)).toEqual([]);
    },
    OUTAGE_MS + 4 * RECOVERED_WITHIN_MS,
  );
});
