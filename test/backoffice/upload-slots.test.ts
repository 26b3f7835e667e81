import type { Client } from '../support/client.js';
import { beginUpload, type CouponPlace, createPlace, IMPORT_COUPONS, importCoupons, until } from './coupon-fixtures.js';
import { createAdmin, createKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

const MAX = 4;
const FILE = 'value\nCODE-1\nCODE-2\n';

describe('the slots for concurrent uploads', () => {
  let latchkey: Latchkey;
  let admin: Client;
  let place: CouponPlace;
  let uploads: ReturnType<typeof beginUpload>[];

  beforeAll(async () => {
    latchkey = await startLatchkey({ IMPORTS_CONCURRENT_MAX: String(MAX) });
    admin = latchkey.admin;
  });
  beforeEach(async () => {
    place = await createPlace(admin);
    uploads = [];
  });
  afterEach(async () => {
    uploads.forEach((upload) => upload.cut());
    await untilReceived(0);
  });
  afterAll(() => latchkey.close());

  const untilReceived = (count: number): Promise<void> =>
    until(`${count} uploads are being received`, async () => {
      const metrics = await (await fetch(`${latchkey.url}/metrics`)).text();
      return metrics.includes(`latchkey_imports_in_progress{phase="receiving"} ${count}\n`);
    });

  /** Begins uploads that never end by themselves, and waits until each has its slot. */
  const beginUploads = async (...clients: Client[]): Promise<void> => {
    for (const client of clients) {
      const upload = beginUpload(client, place);
      upload.send('value\n');
      uploads.push(upload);
      await untilReceived(uploads.length);
    }
  };

  const keyOf = async (owner: Client, parts: Record<string, unknown> = {}): Promise<Client> => {
    const { key } = await createKey(owner, { endpoints: [IMPORT_COUPONS], ...parts });
    return latchkey.as(`ManagementKey-v1 ${key}`);
  };

  it('cannot all be used by one limited key: another user can still import', async () => {
    const key = await keyOf(admin, { allowedApplicationIds: [place.applicationId] });
    await beginUploads(key, key);
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
    await beginUploads(one, owner.client);
    for (const client of [one, another, owner.client]) {
      expect((await importCoupons(client, place, FILE)).body.code).toBe('too-busy');
    }
    expect((await importCoupons(admin, place, FILE)).status).toBe(200);
  });

  it('never exceed the limit for all users', async () => {
    const [one, other] = [await createAdmin(latchkey), await createAdmin(latchkey)];
    await beginUploads(one.client, one.client, other.client, other.client);
    const { body } = await importCoupons(admin, place, FILE);
    expect([body.code, body.detail]).toEqual([
      'too-busy',
      '4 imports are in progress, which is the limit: try again later.',
    ]);
  });

  it('are freed when an upload is cut off and when it is imported', async () => {
    await beginUploads(admin, admin);
    uploads[0]!.cut();
    await untilReceived(1);
    expect((await importCoupons(admin, place, FILE)).status).toBe(200);
    uploads[1]!.send('CODE-3\n');
    expect((await uploads[1]!.end()).status).toBe(200);
    uploads = [];
    await beginUploads(admin, admin);
  });
});

it('a limit of one concurrent upload still allows any user to import', async () => {
  const latchkey = await startLatchkey({ IMPORTS_CONCURRENT_MAX: '1' });
  try {
    const place = await createPlace(latchkey.admin);
    expect((await importCoupons(latchkey.admin, place, FILE)).status).toBe(200);
  } finally {
    await latchkey.close();
  }
});
