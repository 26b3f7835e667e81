import type { TestDatabase } from '../support/harness.js';
import { readTrail } from './audit-trail.js';
import { createDatabaseOn, FaultyMysql } from './faulty-mysql.js';
import type { Page } from './ledger.js';
import { Load } from './load.js';
import { DECISION_WAIT_MS, everyKind, type Service, startService } from './service.js';
import { until } from './until.js';

const OUTAGE_MS = Number(process.env.FAULT_OUTAGE_MS ?? 10_000);
const RECOVERED_WITHIN_MS = 30_000;
/** Less than any work except a decision may wait. */
const DECISION_SLACK_MS = 500;
const CREATION = 'creation of a key';

interface Outage {
  begin(mysql: FaultyMysql): Promise<void> | void;
  end(mysql: FaultyMysql): Promise<void> | void;
}

const OUTAGES: { [name: string]: Outage } = {
  stopped: { begin: (mysql) => mysql.stop(), end: (mysql) => mysql.start() },
  killed: { begin: (mysql) => mysql.kill9(), end: (mysql) => mysql.start() },
  frozen: { begin: (mysql) => mysql.pause(), end: (mysql) => mysql.resume() },
};

function kindsCompletedSince(load: Load, began: number): number {
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
  }, 120_000);
  afterAll(async () => {
    await service.server.stop();
    await mysql.start();
    await (await createDatabaseOn('mysql')).drop();
  }, 120_000);

  /**
   * Checks that every confirmed key exists, and that each key has its entry in the audit log. Requests without a
   * response may have succeeded or failed.
   */
  async function checkKeys(load: Load): Promise<void> {
    const created = load.records
      .filter(({ kind, status }) => kind === CREATION && status === 201)
      .map(({ body }) => Number(/"id":(\d+)/.exec(body)![1]));
    expect(created.length).toBeGreaterThan(0);
    const { admin, alive, dead } = service;
    const existing = new Set<number>();
    for (let hasMore = true; hasMore;) {
      const { body } = await admin.get<Page<{ id: number }> & { totalResultSize: number }>(
        `/v1/api_keys?pageSize=1000&skip=${existing.size}`,
      );
      body.data.forEach(({ id }) => existing.add(id));
      hasMore = existing.size < body.totalResultSize;
    }
    expect(created.filter((id) => !existing.has(id))).toEqual([]);
    expect([existing.has(alive.id), existing.has(dead.id)]).toEqual([true, false]);
    // The deleted key was created, too.
    const trail = await readTrail(admin, 'POST /v1/api_keys');
    expect(trail.length).toBe(existing.size + 1);
  }

  test.each(Object.keys(OUTAGES))(
    '%s: every request gets a 503 in time, and everything recovers by itself afterwards',
    async (name) => {
      const kinds = everyKind(service);
      const kindCount = Object.keys(kinds).length;
      const load = new Load(service.server.url, kinds);
      try {
        await load.goesWell(5, RECOVERED_WITHIN_MS);
        await OUTAGES[name]!.begin(mysql);
        const began = performance.now();
        await until(
          'the outage has lasted, and all kinds of requests that began in it have responses',
          () => performance.now() - began > OUTAGE_MS && kindsCompletedSince(load, began) === kindCount,
          OUTAGE_MS + RECOVERED_WITHIN_MS,
        );
        const alive = await fetch(`${service.server.url}/health/live`);
        const ended = performance.now();
        expect(alive.status).toBe(200);
        await OUTAGES[name]!.end(mysql);
        await load.goesWell(5, RECOVERED_WITHIN_MS);

        const during = load.records.filter((record) => record.began > began && record.ended < ended);
        expect(during.filter(({ status }) => status !== 503)).toEqual([]);
        // Each request has a generous time limit. In addition, decisions must not wait longer than their own limit.
        const decisions = during.filter(({ kind }) => kind.startsWith('forward auth'));
        const fastestMs = Math.min(...decisions.map((record) => record.ended - record.began));
        expect(fastestMs).toBeLessThan(DECISION_WAIT_MS + DECISION_SLACK_MS);
      } finally {
        mysql.resume();
        await load.stop();
      }
      expect(load.faults.slice(0, 20)).toEqual([]);
      await checkKeys(load);
    },
    OUTAGE_MS + 4 * RECOVERED_WITHIN_MS,
  );

  test('no request fails after a restart without load', async () => {
    const kinds = everyKind(service);
    const before = new Load(service.server.url, kinds);
    await before.goesWell(3, RECOVERED_WITHIN_MS);
    await before.stop();
    await mysql.stop();
    await mysql.start();
    const after = new Load(service.server.url, kinds);
    try {
      await after.goesWell(1, RECOVERED_WITHIN_MS);
    } finally {
      await after.stop();
    }
    expect(after.records.filter((record) => !after.isGood(record))).toEqual([]);
  }, 120_000);
});
