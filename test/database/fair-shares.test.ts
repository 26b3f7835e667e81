import { request as httpRequest } from 'node:http';
import { DataSource } from 'typeorm';
import type { Client, ProblemBody } from '../support/client.js';
import { type CouponPlace, createPlace, importCoupons, until } from '../backoffice/coupon-fixtures.js';
import { CAMPAIGNS, createAdmin, createKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

/** Several windows of coupons. */
const COUPONS = 10_000;
const MANY = 100;

describe('reads that scan', () => {
  let latchkey: Latchkey;
  let admin: Client;
  let other: Client;
  let place: CouponPlace;
  let search: string;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    admin = latchkey.admin;
    other = (await createAdmin(latchkey)).client;
    place = await createPlace(admin);
    const codes = Array.from({ length: COUPONS }, (_, nth) => `CODE-${nth}`);
    expect((await importCoupons(admin, place, `value\n${codes.join('\n')}\n`)).status).toBe(200);
    search = `${place.path}/coupons/no_total?value=nowhere`;
  });
  afterAll(() => latchkey.close());

  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${latchkey.url}/metrics`)).text();
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.slice(name.length),
    );
  };
  const untilWaiting = (what: string, isSo: (waiting: number) => boolean): Promise<void> =>
    until(what, async () => isSo(await metric('latchkey_scans_waiting')));

  const together = (count: number, client: Client, path: string): Promise<{ status: number; body: unknown }[]> =>
    Promise.all(Array.from({ length: count }, () => client.get(path)));

  /** Counts the queries that begin in each turn of the event loop during work. Returns the highest count. */
  async function mostInOneTurn(queries: RegExp, work: () => Promise<unknown>): Promise<number> {
    const database = latchkey.get(DataSource);
    const usual = database.logger;
    let [counted, most, going] = [0, 0, true];
    const nextTurn = (): void => {
      most = Math.max(most, counted);
      counted = 0;
      if (going) {
        setImmediate(nextTurn);
      }
    };
    nextTurn();
    database.logger = Object.assign(Object.create(usual) as typeof usual, {
      logQuery: (query: string) => void (counted += queries.test(query) ? 1 : 0),
    });
    try {
      await work();
    } finally {
      going = false;
      database.logger = usual;
    }
    return Math.max(most, counted);
  }

  const describeSqlite = (): void => {
    it.each<[what: string, path: () => string, query: RegExp]>([
      ['searches of coupons', () => search, /FROM coupons INDEXED BY/],
      ['last pages', () => `${place.path}/coupons/no_total?skip=9000&pageSize=1`, /FROM .?coupons/],
      ['first pages', () => `${place.path}/coupons/no_total?pageSize=100`, /FROM .?coupons/],
      ['exports', () => `/v1/applications/${place.applicationId}/export_coupons?value=-99`, /FROM coupons/],
      ['the audit log', () => '/v1/changes?entityPath=nowhere&withTotalResultSize=true', /FROM .?changes/],
      ['users', () => '/v1/users?name=nobody', /FROM .?users.* LIMIT/],
      ['Applications', () => '/v1/applications', /FROM .?applications.* LIMIT/],
      ['campaigns', () => `/v1/applications/${place.applicationId}/campaigns?name=none`, /COUNT\(.* FROM .?campaigns/],
      ['services', () => '/v1/services', /FROM .?services.* LIMIT/],
      ['keys', () => '/v1/api_keys?name=none', /FROM .?api_keys.* LIMIT/],
      ['deletions without matches', () => `DELETE ${place.path}/coupons?value=nowhere`, /FROM coupons INDEXED BY/],
    ])('%s', async (_what, pathOf, query) => {
      const [path = '', method = 'GET'] = pathOf().split(' ').reverse();
      const request = (): Promise<unknown> => admin.send(method, path);
      expect(await mostInOneTurn(query, () => Promise.all(Array.from({ length: 40 }, request)))).toBe(1);
    });
  };

  const describeMysql = (): void => {
    it('use at most two connections of the pool', async () => {
      const searching = together(MANY, admin, search);
      await untilWaiting('all but two wait', (waiting) => waiting === MANY - 2);
      while ((await metric('latchkey_scans_waiting')) > MANY / 2) {
        expect(await metric('latchkey_database_pool_connections{state="used"}')).toBeLessThanOrEqual(2);
      }
      await searching;
    });
  };

  if (process.env.TEST_MYSQL_URL) {
    describe('on MySQL', describeMysql);
  } else {
    describe('on SQLite begin at most one query per turn of the event loop', describeSqlite);
  }

  it('take turns between callers: one search overtakes a hundred of another caller', async () => {
    let completed = 0;
    const searching = Array.from({ length: MANY }, () => admin.get(search).then(() => (completed += 1)));
    await untilWaiting('most of them wait', (waiting) => waiting > MANY / 2);
    expect((await other.get(search)).status).toBe(200);
    expect(completed).toBeLessThan(MANY / 4);
    await Promise.all(searching);
  });

  it('of a key take turns with those of its creator', async () => {
    const { key } = await createKey(admin, { endpoints: [CAMPAIGNS] });
    const searching = together(MANY, admin, search);
    await untilWaiting('most of them wait', (waiting) => waiting > MANY / 2);
    const path = `/v1/applications/${place.applicationId}/campaigns`;
    expect((await latchkey.as(`ManagementKey-v1 ${key}`).get(path)).status).toBe(200);
    expect(await metric('latchkey_scans_waiting')).toBeGreaterThan(0);
    await searching;
  });

  it.each<[what: string, path: () => string]>([
    ['searches', () => search],
    ['exports', () => `/v1/applications/${place.applicationId}/export_coupons?value=nowhere`],
  ])(
    'of one caller beyond its limit are refused, and those of others are accepted: %s',
    async (_what, path) => {
      const searching = together(300, admin, path());
      await untilWaiting('the limit is reached', (waiting) => waiting >= 250);
      expect((await other.get(search)).status).toBe(200);
      const answers = (await searching) as { status: number; body: ProblemBody }[];
      const refused = answers.filter(({ status }) => status !== 200);
      expect(refused.length).toBeGreaterThan(0);
      expect(refused.length).toBeLessThanOrEqual(300 - 256);
      for (const { status, body } of refused) {
        expect([status, body.code, body.retryAfterSeconds]).toEqual([503, 'too-busy', 10]);
        expect(body.detail).toMatch(/^\d+ of your own searches are waiting\.$/);
      }
    },
    60_000,
  );

  it('of a client that disconnects no longer wait', async () => {
    const requests = Array.from({ length: MANY }, () => {
      const request = httpRequest(latchkey.url + search, { headers: { authorization: admin.authorization } });
      request.on('error', () => undefined);
      return request.end();
    });
    await untilWaiting('most of them wait', (waiting) => waiting > MANY / 2);
    requests.forEach((request) => void request.destroy());
    await untilWaiting('none waits', (waiting) => waiting === 0);
    expect((await admin.get(search)).status).toBe(200);
    expect(latchkey.log()).not.toContain('internal-error');
  });
});
