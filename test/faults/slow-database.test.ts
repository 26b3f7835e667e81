import { setTimeout as wait } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import type { TestDatabase } from '../support/harness.js';
import { createDatabaseOn } from './faulty-mysql.js';
import { Load } from './load.js';
import { everyKind, type Service, startService } from './service.js';
import { TcpProxy } from './tcp-proxy.js';
import { until } from './until.js';

const RECOVERED_WITHIN_MS = 30_000;
const CUTS = 30;
const UNUSED_MS = 1200;

describe('with an unreliable connection to MySQL', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let service: Service;

  beforeAll(async () => {
    database = await createDatabaseOn('mysql');
    proxy = await TcpProxy.start(database.url);
    service = await startService(proxy.through(database.url));
  }, 120_000);
  afterEach(() => {
    proxy.delayMs = 0;
  });
  afterAll(async () => {
    await service.server.stop();
    await proxy.close();
    await database.drop();
  });

  test('cut connections cause single 503s and never a wrong response', async () => {
    const load = new Load(service.server.url, everyKind(service));
    try {
      await load.goesWell(3, RECOVERED_WITHIN_MS);
      for (let cut = 0; cut < CUTS; cut += 1) {
        const completed = load.records.length;
        await until('some requests are under way again', () => load.records.length > completed + 5 + (cut % 7));
        proxy.cut();
      }
      await load.goesWell(3, RECOVERED_WITHIN_MS);
    } finally {
      await load.stop();
    }
    expect(load.records.filter(({ status }) => status === 503).length).toBeGreaterThan(0);
    expect(load.faults.slice(0, 20)).toEqual([]);
  }, 120_000);

  test('idle connections that are lost without notice fail no request', async () => {
    const load = new Load(service.server.url, everyKind(service));
    await load.goesWell(3, RECOVERED_WITHIN_MS);
    await load.stop();
    for (let round = 0; round < 3; round += 1) {
      proxy.forget();
      // A server that dies does not come back earlier. A connection that was just used is assumed to be alive.
      await wait(UNUSED_MS);
      const first = new Load(service.server.url, everyKind(service));
      try {
        await first.goesWell(1, RECOVERED_WITHIN_MS);
      } finally {
        await first.stop();
      }
      expect(first.records.filter((record) => !first.isGood(record))).toEqual([]);
      expect(first.faults).toEqual([]);
    }
  }, 120_000);

  test('every request succeeds on a slow connection', async () => {
    const load = new Load(service.server.url, everyKind(service));
    try {
      await load.goesWell(3, RECOVERED_WITHIN_MS);
      proxy.delayMs = 50;
      await load.goesWell(3, RECOVERED_WITHIN_MS);
    } finally {
      await load.stop();
    }
    expect(load.faults.slice(0, 20)).toEqual([]);
  }, 90_000);

  test('a locked table delays a decision only to its deadline, even while other requests wait for it', async () => {
    const all = everyKind(service);
    const { headers } = all.list!;
    const kinds = {
      'forward auth of a living key': all['forward auth of a living key']!,
      endpoints: { ...all.list!, path: '/v1/endpoints', headers, withinMs: all['route with a living key']!.withinMs },
    };
    const locker = await mysql.createConnection(database.url);
    const load = new Load(service.server.url, kinds);
    try {
      await load.goesWell(3, RECOVERED_WITHIN_MS);
      await locker.query('LOCK TABLES catalogue_revision WRITE');
      const began = performance.now();
      const during = () => load.records.filter((record) => record.began > began);
      const incompleteKinds = () =>
        Object.keys(kinds).filter((kind) => during().filter((record) => record.kind === kind).length < 4);
      await until('both kinds have several responses', () => incompleteKinds().length === 0, RECOVERED_WITHIN_MS);
      expect(during().filter(({ status }) => status !== 503)).toEqual([]);
      await locker.query('UNLOCK TABLES');
      await load.goesWell(3, RECOVERED_WITHIN_MS);
    } finally {
      await locker.end();
      await load.stop();
    }
    expect(load.faults.slice(0, 20)).toEqual([]);
  }, 120_000);

  test('decisions recover even if opening a connection takes longer than the deadline of a decision', async () => {
    const kinds = Object.entries(everyKind(service)).filter(([kind]) => kind.startsWith('forward auth'));
    const load = new Load(service.server.url, Object.fromEntries(kinds));
    try {
      await load.goesWell(3, RECOVERED_WITHIN_MS);
      // A connection needs five trips before the first statement, 1250 ms. The statement needs two more.
      proxy.delayMs = 250;
      proxy.cut();
      await load.goesWell(3, RECOVERED_WITHIN_MS);
    } finally {
      await load.stop();
    }
    expect(load.faults.slice(0, 20)).toEqual([]);
  }, 90_000);
});
