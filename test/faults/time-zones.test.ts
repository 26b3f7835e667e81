import { createKey } from '../support/fixtures.js';
import { startServer } from '../support/process.js';
import { createDatabaseOn, ENGINES } from './faulty-mysql.js';
import { signIn } from './service.js';
import { until } from './until.js';

const ZONES = ['America/Los_Angeles', 'Asia/Tokyo'];
/** How long the key lives. It must be seen to work in both processes before it expires. */
const LIFETIME_MS = 8000;

test.each(ENGINES)(
  '%s: a key expires at the same moment in a process in Los Angeles and one in Tokyo',
  async (engine) => {
    const database = await createDatabaseOn(engine);
    const servers = await Promise.all(ZONES.map((TZ) => startServer({ DATABASE_URL: database.url, TZ })));
    try {
      const admins = await Promise.all(servers.map(({ url }) => signIn(url)));
      const codes = async (key: string): Promise<string[]> =>
        Promise.all(
          admins.map(async (admin) => {
            const question = { key, method: 'GET', path: '/v1/applications/1/campaigns' };
            return (await admin.post<{ code: string }>('/v1/verifications', question)).body.code;
          }),
        );

      for (const admin of admins) {
        const day = await createKey(admin, { expiryDate: '2099-06-30' });
        const expiry = Date.now() + LIFETIME_MS;
        const short = await createKey(admin, { expiryDate: new Date(expiry).toISOString() });
        for (const other of admins) {
          const seen = await other.get(`/v1/api_keys/${day.id}`);
          expect(seen.body).toMatchObject({ expiryDate: '2099-06-30T23:59:59.999Z' });
          expect((await other.get(`/v1/api_keys/${short.id}`)).body).toMatchObject({
            expiryDate: new Date(expiry).toISOString(),
          });
        }
        expect(await codes(short.key)).toEqual(['valid', 'valid']);
        expect(Date.now()).toBeLessThan(expiry);
        await until('the key expires', async () => (await codes(short.key)).includes('expired'));
        expect(Date.now()).toBeGreaterThanOrEqual(expiry);
        expect(await codes(short.key)).toEqual(['expired', 'expired']);
        expect(Date.now()).toBeLessThan(expiry + LIFETIME_MS);
        expect(await codes(day.key)).toEqual(['valid', 'valid']);
      }
    } finally {
      await Promise.all(servers.map((server) => server.stop()));
      await database.drop();
    }
  },
  120_000,
);
