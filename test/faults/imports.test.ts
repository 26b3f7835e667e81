import { connect } from 'node:net';
import { Client } from '../support/client.js';
import { beginUpload, createPlace, importCoupons, listCoupons } from '../backoffice/coupon-fixtures.js';
import { createKey } from '../support/fixtures.js';
import type { TestDatabase } from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';
import { createDatabaseOn, ENGINES } from './faulty-mysql.js';
import { FILE_FORM_TYPE, Load } from './load.js';
import { everyKind, type Service, signIn, startService } from './service.js';
import { until } from './until.js';

const ROWS = 60_000;
const BYTE_MS = 1000;
const SLOW_BYTES = 8;

function fileOf(codes: string[]): string {
  return `value\n${codes.join('\n')}\n`;
}

function codes(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `CODE-${number}`);
}

/** Begins an upload that sends one byte per second, up to a limit. */
function uploadSlowly({ server, campaign }: Service, client: Client): { sent: () => number; close: () => void } {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  let sent = 0;
  socket.on('error', () => undefined);
  socket.write(
    [
      `POST ${campaign}/import_coupons HTTP/1.1`,
      'Host: latchkey.example',
      `Authorization: ${client.authorization}`,
      `Content-Type: ${FILE_FORM_TYPE}`,
      'Content-Length: 100000',
      '',
      '--a-boundary\r\nContent-Disposition: form-data; name="upFile"; filename="slow.csv"\r\n\r\nvalue\n',
    ].join('\r\n'),
  );
  const timer = setInterval(() => {
    socket.write('x');
    sent += 1;
  }, BYTE_MS);
  return {
    sent: () => sent,
    close: () => {
      clearInterval(timer);
      socket.destroy();
    },
  };
}

describe.each(ENGINES)('on %s', (engine) => {
  let database: TestDatabase;
  let service: Service;
  let other: ServerProcess;

  beforeAll(async () => {
    database = await createDatabaseOn(engine);
    service = await startService(database.url, { DATABASE_WAIT_MS: '10000' });
    other = await startServer({ DATABASE_URL: database.url });
  }, 120_000);
  afterAll(async () => {
    await Promise.all([service.server.stop(), other.stop()]);
    await database.drop();
  });

  async function isWriting(url: string): Promise<boolean> {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return /^latchkey_imports_in_progress\{phase="writing"\} 1$/m.test(metrics);
  }

  test.each(['this process', 'another process'])(
    'a key that %s deletes while an import is written stays deleted although the import fails',
    async (which) => {
      const place = await createPlace(service.admin);
      const { id, key } = await createKey(service.admin, { expiryDate: '2099-01-01' });
      const deleter = which === 'this process' ? service.admin : await signIn(other.url);
      const taken = codes(ROWS);
      const importing = importCoupons(service.admin, place, fileOf([...taken, taken[0]!]));
      let ended = false;
      void importing.finally(() => (ended = true));
      await until('the import is written', async () => ended || isWriting(service.server.url));
      expect(ended).toBe(false);
      expect(await deleter.delete(`/v1/api_keys/${id}`)).toMatchObject({ status: 204 });
      expect(await importing).toMatchObject({ status: 409, body: { code: 'coupon-exists' } });
      expect(await listCoupons(service.admin, place)).toEqual([]);
      for (const url of [service.server.url, other.url]) {
        const headers = { authorization: `ManagementKey-v1 ${key}` };
        expect((await fetch(`${url}${place.path.replace(/\/\d+$/, '')}`, { headers })).status).toBe(401);
        expect((await (await signIn(url)).get(`/v1/api_keys/${id}`)).status).toBe(404);
      }
    },
    120_000,
  );

  test('of two concurrent imports of the same codes in two processes, one succeeds and one gets a 409', async () => {
    const place = await createPlace(service.admin);
    const file = codes(5000);
    const both = await Promise.all(
      [service.admin, await signIn(other.url)].map((client) => {
        const upload = beginUpload(client, place);
        upload.send(fileOf(file));
        return upload.end();
      }),
    );
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    expect(await listCoupons(service.admin, place)).toHaveLength(file.length);
  }, 120_000);

  test('uploads of one byte per second do not affect other clients', async () => {
    // One user may hold half of the slots. So the other imports belong to another user.
    const user = { name: 'Slow', email: 'slow@example.com', password: 'a byte in every second' };
    expect((await service.admin.post('/v1/users', user)).status).toBe(201);
    const anonymous = new Client(service.server.url, undefined, new Set());
    const { body } = await anonymous.post<{ token: string }>('/v1/sessions', {
      email: user.email,
      password: user.password,
    });
    const slow = new Client(service.server.url, `Bearer ${body.token}`, new Set());
    const uploads = Array.from({ length: 2 }, () => uploadSlowly(service, slow));
    // Two of the four possible uploads are slow. One lane of imports runs beside them.
    const load = new Load(service.server.url, everyKind(service), 1);
    try {
      await until('bytes have trickled in', () => uploads.every(({ sent }) => sent() >= SLOW_BYTES));
      await load.goesWell(1, 30_000);
    } finally {
      uploads.forEach(({ close }) => close());
      await load.stop();
    }
    expect(load.records.filter((record) => !load.isGood(record))).toEqual([]);
    expect(load.faults).toEqual([]);
  }, 120_000);
});
