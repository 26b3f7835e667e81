import { createAuthority } from '../support/authorities.js';
import type { Answer, Client } from '../support/client.js';
import {
  type CouponPlace,
  createPlace,
  generateCoupons,
  type Generated,
  IMPORT_COUPONS,
  importCoupons,
  until,
} from '../backoffice/coupon-fixtures.js';
import { PASSWORD, Replicas } from '../support/replicas.js';
import { runSql } from '../support/sql.js';

/** `COUPONS` sets the size of an import: a million tests the promise at its limit. */
const COUPONS = Number(process.env.COUPONS ?? 300_000);
/** The promise is one second. A busy machine may add one. */
const RESPONDED_MS = 2000;
const GENERATIONS = 40;
const GENERATE_COUPONS = { method: 'POST', path: IMPORT_COUPONS.path.replace('import_coupons', 'coupons') };

const onMysql = process.env.TEST_MYSQL_URL ? describe : describe.skip;

/** Measures how long ends take until their response, and prints it. */
class Stopwatch {
  private readonly seen: { what: string; ms: number; status: number }[] = [];

  constructor(private readonly beside: string) {}

  async time(what: string, end: () => Promise<Answer>): Promise<void> {
    const began = performance.now();
    const { status } = await end();
    this.seen.push({ what, ms: Math.round(performance.now() - began), status });
  }

  /** Fails if an end failed or was too slow. Call it after the work, so that no test leaves work behind. */
  check(): void {
    const times = this.seen.map(({ what, ms, status }) => `${what} ${ms} ms (${status})`);
    process.stderr.write(`ends beside ${this.beside}: ${times.join(', ')}\n`);
    expect(this.seen.filter(({ ms, status }) => ms > RESPONDED_MS || (status !== 200 && status !== 204))).toEqual([]);
  }
}

/** Prepares ends for users who are not involved in the work. */
async function prepareEnds(replicas: Replicas, at: number): Promise<(stopwatch: Stopwatch) => Promise<void>> {
  const key = await createAuthority(replicas, { kind: 'key' }, [IMPORT_COUPONS]);
  const leaver = await createAuthority(replicas, { kind: 'session' });
  const admin = replicas.keeper(at);
  return async (stopwatch) => {
    await stopwatch.time('deletion of a key', () => admin.delete(`/v1/api_keys/${key.keyId}`));
    await stopwatch.time('sign-out', () => replicas.as(leaver.authorization, at).delete('/v1/sessions'));
    await stopwatch.time('deactivation', () => admin.put(`/v1/users/${leaver.owner.id}`, { state: 'deactivated' }));
    await stopwatch.time('demotion', () => admin.put(`/v1/users/${key.owner.id}`, { isAdmin: false }));
    await stopwatch.time('new password', () =>
      admin.put(`/v1/users/${key.owner.id}/password`, { newPassword: `${PASSWORD} anew` }),
    );
    await stopwatch.time('deletion of a user', () => admin.delete(`/v1/users/${leaver.owner.id}`));
  };
}

async function importsInWriting(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^latchkey_imports_in_progress\{phase="writing"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
}

function manyCoupons(prefix: string): string {
  return `value\n${Array.from({ length: COUPONS }, (_, number) => `${prefix}-${number}\n`).join('')}`;
}

/** Begins imports on the first replica, and waits until all of them are writing. */
async function beginImports(
  replicas: Replicas,
  client: Client,
  count: number,
): Promise<{ places: CouponPlace[]; isCompleted: () => boolean; all: Promise<Answer[]> }> {
  const places: CouponPlace[] = [];
  while (places.length < count) {
    places.push(await createPlace(replicas.keeper()));
  }
  let completed = false;
  const csv = manyCoupons('CODE');
  const all = Promise.all(places.map((place) => importCoupons(client, place, csv).finally(() => (completed = true))));
  await until(
    'all imports are being written',
    async () => completed || (await importsInWriting(replicas.servers[0]!.url)) === count,
    60_000,
  );
  return { places, isCompleted: () => completed, all };
}

async function countCoupons({ database }: Replicas, { campaignId }: CouponPlace): Promise<number> {
  const [row] = await runSql(database, `SELECT COUNT(*) AS number FROM coupons WHERE campaign_id = ${campaignId}`);
  return Number(row!.number);
}

describe('an end of authority never waits for work', () => {
  let replicas: Replicas;

  beforeAll(async () => {
    replicas = await Replicas.start(2);
  }, 90_000);
  afterAll(() => replicas.stop());

  test.each([
    ['of the same process', 0],
    ['of another process', 1],
  ])(
    'during a large import %s, which still completes',
    async (whose, at) => {
      const end = await prepareEnds(replicas, at);
      const { places, isCompleted, all } = await beginImports(replicas, replicas.keeper(), 1);
      const stopwatch = new Stopwatch(`an import of ${COUPONS} coupons ${whose}`);
      await end(stopwatch);
      const wasCompleted = isCompleted();
      const answers = await all;
      stopwatch.check();
      expect(wasCompleted).toBe(false);
      expect(answers).toMatchObject([{ status: 200, body: { amount: COUPONS } }]);
      expect(await countCoupons(replicas, places[0]!)).toBe(COUPONS);
    },
    300_000,
  );

  test.each([
    ['of the same process', 0],
    ['of another process', 1],
  ])(
    'during a large import %s by the deleted key, which imports nothing',
    async (whose, at) => {
      const { authorization, keyId } = await createAuthority(replicas, { kind: 'key' }, [IMPORT_COUPONS]);
      const { places, all } = await beginImports(replicas, replicas.as(authorization), 1);
      const stopwatch = new Stopwatch(`its own import of ${COUPONS} coupons ${whose}`);
      await stopwatch.time('deletion of the key', () => replicas.keeper(at).delete(`/v1/api_keys/${keyId}`));
      const answers = await all;
      stopwatch.check();
      expect(answers).toMatchObject([{ status: 401, body: { code: 'unknown' } }]);
      expect(await countCoupons(replicas, places[0]!)).toBe(0);
    },
    300_000,
  );

  test.each([
    [
      'deletion of the key',
      'key',
      ({ keyId }: { keyId?: number }) => replicas.keeper().delete(`/v1/api_keys/${keyId}`),
    ],
    [
      'deactivation of its creator',
      'key',
      ({ owner }: { owner: { id: number } }) =>
        replicas.keeper().put(`/v1/users/${owner.id}`, { state: 'deactivated' }),
    ],
    [
      'sign-out',
      'session',
      ({ authorization }: { authorization: string }) => replicas.as(authorization).delete('/v1/sessions'),
    ],
  ] as const)(
    `during ${GENERATIONS} large generations by the same caller, which create nothing afterwards: %s`,
    async (what, kind, end) => {
      const caller = await createAuthority(replicas, { kind }, [GENERATE_COUPONS]);
      const place = await createPlace(replicas.keeper());
      let answers = 0;
      const generating = Promise.all(
        Array.from({ length: GENERATIONS }, async (): Promise<Answer<Generated>> => {
          const body = { numberOfCoupons: 20_000 };
          const answer = await generateCoupons(replicas.as(caller.authorization), place, body, '?silent=yes');
          answers += 1;
          return answer;
        }),
      );
      await until('the first generation is done', () => answers > 0, 60_000);
      const stopwatch = new Stopwatch(`${GENERATIONS} generations by the same caller`);
      await stopwatch.time(what, () => end(caller));
      const atTheEnd = await countCoupons(replicas, place);
      const seen = (await generating).map(({ status }) => status);
      stopwatch.check();
      // On a busy machine some waited too long for their turn: 503.
      expect(seen.filter((status) => ![200, 204, 401, 503].includes(status))).toEqual([]);
      expect(seen).toContain(401);
      expect(await countCoupons(replicas, place)).toBe(atTheEnd);
    },
    300_000,
  );
});

onMysql('an end of authority never waits for work', () => {
  let replicas: Replicas;

  beforeAll(async () => {
    replicas = await Replicas.start(1, { DATABASE_POOL_SIZE: '2' });
  }, 90_000);
  afterAll(() => replicas.stop());

  test('during imports that use every connection of the pool', async () => {
    const end = await prepareEnds(replicas, 0);
    const { isCompleted, all } = await beginImports(replicas, replicas.keeper(), 2);
    const stopwatch = new Stopwatch('two imports on a pool of two connections');
    await end(stopwatch);
    const wasCompleted = isCompleted();
    const statuses = (await all).map(({ status }) => status);
    stopwatch.check();
    expect(wasCompleted).toBe(false);
    expect(statuses).toEqual([200, 200]);
  }, 300_000);
});
