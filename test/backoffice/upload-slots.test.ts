import type { Client } from '../support/client.js';
import { beginUpload, type CouponPlace, createPlace, IMPORT_COUPONS, importCoupons, until } from './coupon-fixtures.js';
import { createAdmin, createKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

const MAX = 4;
const FILE = 'value\nCODE-1\nCODE-2\n';

describe('the uploads that may be in progress at once', () => {
  let latchkey: Latchkey;
  let admin: Client;
  let place: CouponPlace;
  let trickled: ReturnType<typeof beginUpload>[];

  beforeAll(async () => {
    latchkey = await startLatchkey({ IMPORTS_CONCURRENT_MAX: String(MAX) });
    admin = latchkey.admin;
  });
  beforeEach(async () => {
    place = await createPlace(admin);
    trickled = [];
  });
  afterEach(async () => {
    trickled.forEach((upload) => upload.cut());
    await untilReceived(0);
  });
  afterAll(() => latchkey.close());

  const untilReceived = (count: number): Promise<void> =>
    until(`${count} uploads are being received`, async () => {
      const metrics = await (await fetch(`${latchkey.url}/metrics`)).text();
      return metrics.includes(`latchkey_imports_in_progress{phase="receiving"} ${count}\n`);
    });

  /** Begins uploads that never end by themselves, and waits until each has its slot. */
  const trickle = async (...clients: Client[]): Promise<void> => {
    for (const client of clients) {
      const upload = beginUpload(client, place);
      upload.send('value\n');
      trickled.push(upload);
      await untilReceived(trickled.length);
    }
  };

  const keyOf = async (owner: Client, parts: Record<string, unknown> = {}): Promise<Client> => {
    const { key } = await createKey(owner, { endpoints: [IMPORT_COUPONS], ...parts });
    return latchkey.as(`ManagementKey-v1 ${key}`);
  };

  it('cannot all be held by one limited key: another user still imports', async () => {
    const key = await keyOf(admin, { allowedApplicationIds: [place.applicationId] });
    await trickle(key, key);
    const refused = await importCoupons(key, place, FILE);
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'too-busy', '10']);
    expect(refused.body.detail).toBe(
      'The sessions and keys of one user may have 2 of 4 imports in progress, and yours have 2.',
    );
    const other = await createAdmin(latchkey);
    expect((await importCoupons(other.client, place, FILE)).status).toBe(200);
  });

  it('are shared by all sessions and keys of one user', async () => {
    const owner = await createAdmin(latchkey);
    const [one, another] = [await keyOf(owner.client), await keyOf(owner.client)];
    await trickle(one, owner.client);
    for (const client of [one, another, owner.client]) {
      expect((await importCoupons(client, place, FILE)).body.code).toBe('too-busy');
    }
    expect((await importCoupons(admin, place, FILE)).status).toBe(200);
  });

  it('are no more than the limit, whoever has them', async () => {
    const [one, other] = [await createAdmin(latchkey), await createAdmin(latchkey)];
    await trickle(one.client, one.client, other.client, other.client);
    const { body } = await importCoupons(admin, place, FILE);
    expect([body.code, body.detail]).toEqual([
      'too-busy',
      '4 imports are in progress, which is the limit: try again later.',
    ]);
  });

  it('become free again when an upload is cut off, and when it is imported', async () => {
    await trickle(admin, admin);
    trickled[0]!.cut();
    await untilReceived(1);
    expect((await importCoupons(admin, place, FILE)).status).toBe(200);
    trickled[1]!.send('CODE-3\n');
    expect((await trickled[1]!.end()).status).toBe(200);
    trickled = [];
    await trickle(admin, admin);
  });
});

it('a single upload that may be in progress is anybody’s', async () => {
  const latchkey = await startLatchkey({ IMPORTS_CONCURRENT_MAX: '1' });
  try {
    const place = await createPlace(latchkey.admin);
    expect((await importCoupons(latchkey.admin, place, FILE)).status).toBe(200);
  } finally {
    await latchkey.close();
  }
});
