import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Client } from '../support/client.js';
import { type Coupon, type CouponPlace, createPlace, type ImportAnswer } from './coupon-fixtures.js';
import {
  ADMIN_EMAIL,
  ADMIN_PASSWORD,
  createDatabase,
  startLatchkey,
  TestClock,
  type TestDatabase,
} from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';
import { size } from '../support/size.js';
import { isChosen } from '../suites.mjs';

const MANY = Number(process.env.COUPONS ?? size('scale', 30_000, 1_000_000));
const FEW = 1000;
/**
 * The maximum growth of the process for a file of any size, in MB. Between 11 and 140 MB were measured, mostly memory
 * that V8 had not yet returned. A million rows as objects would take several hundred MB.
 */
const GROWTH_MB_MAX = 180;
const CODE = (number: number): string => `${((number * 2_654_435_761) % 4_294_967_296).toString(36)}-${number}`;

/** Generates the rows of a file when they are needed. */
async function* fileOf(count: number): AsyncGenerator<string> {
  yield '--XyZ\r\nContent-Disposition: form-data; name="upFile"; filename="coupons.csv"\r\n\r\n';
  yield 'value,expirydate,limitval,attributes\n';
  for (let number = 0; number < count;) {
    let piece = '';
    for (; piece.length < 60_000 && number < count; number += 1) {
      piece += `${CODE(number)},2027-06-30T22:00:00Z,1,"{""channel"":""newsletter""}"\n`;
    }
    yield piece;
  }
  yield '\r\n--XyZ--\r\n';
}

/**
 * Runs the real process with a million coupons, or a short form within the process of the test. On SQLite one thread does
 * all work and sends all responses, so this also measures how long that work delays other requests.
 */
describe(`${MANY.toLocaleString('en')} coupons`, () => {
  let database: TestDatabase;
  let server: Pick<ServerProcess, 'url' | 'pid'> & { stop: () => Promise<unknown> };
  let admin: Client;
  let many: CouponPlace;
  let few: CouponPlace;

  beforeAll(async () => {
    database = await createDatabase();
    server = isChosen('scale') ? await startServer({ DATABASE_URL: database.url }) : await startInProcess();
    const anonymous = new Client(server.url, undefined, new Set());
    const { body } = await anonymous.post<{ token: string }>('/v1/sessions', {
      email: ADMIN_EMAIL,
      password: ADMIN_PASSWORD,
    });
    admin = new Client(server.url, `Bearer ${body.token}`, new Set());
    many = await createPlace(admin);
    few = await createPlace(admin);
    expect((await upload(few, FEW)).amount).toBe(FEW);
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
  });

  async function startInProcess(): Promise<typeof server> {
    const { url, close } = await startLatchkey({}, { original: { database, clock: new TestClock() } });
    return { url, pid: process.pid, stop: close };
  }

  const send = async (place: CouponPlace, count: number): Promise<IncomingMessage> => {
    const request = httpRequest(`${server.url}${place.path}/import_coupons`, {
      method: 'POST',
      headers: { authorization: admin.authorization, 'content-type': 'multipart/form-data; boundary=XyZ' },
    });
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    await pipeline(fileOf(count), request);
    return (await answered)[0];
  };
  const upload = async (place: CouponPlace, count: number): Promise<ImportAnswer> => {
    let text = '';
    for await (const chunk of await send(place, count)) {
      text += String(chunk);
    }
    return JSON.parse(text) as ImportAnswer;
  };

  /** Returns the peak memory of the process, in MB. */
  const memoryMb = (): number =>
    Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]) / 1024;

  it('are imported without growing with the file, and others are answered meanwhile', async () => {
    const before = memoryMb();
    const statuses: number[] = [];
    let written = false;
    const importing = upload(many, MANY).finally(() => (written = true));
    const ask = async (): Promise<void> => {
      while (!written) {
        statuses.push((await admin.get('/v1/applications?pageSize=1')).status);
      }
    };
    await Promise.all([ask(), ask(), ask()]);
    expect((await importing).amount).toBe(MANY);
    expect(memoryMb() - before).toBeLessThan(GROWTH_MB_MAX);
    expect(statuses.length).toBeGreaterThan(100);
    expect(statuses.filter((status) => status !== 200).length).toBeLessThanOrEqual(statuses.length / 100);
  }, 600_000);

  it('are listed, found by their codes and begun to be exported about as fast as a thousand', async () => {
    const firstByte = async (path: string): Promise<void> => {
      const request = httpRequest(server.url + path, { headers: { authorization: admin.authorization } });
      request.end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      await once(response, 'readable');
      response.destroy();
    };
    const page = async (path: string): Promise<Coupon[]> => (await admin.get<{ data: Coupon[] }>(path)).body.data;
    const ways: Record<string, (place: CouponPlace, count: number) => Promise<unknown>> = {
      'the first page': ({ path }) => page(`${path}/coupons/no_total`),
      'the newest': ({ path }) => page(`${path}/coupons/no_total?sort=-id`),
      'one by its code': async ({ path }, count) => {
        const value = CODE(count - 7);
        const found = await page(`${path}/coupons/no_total?exactMatch=true&value=${value}`);
        expect(found.map((coupon) => coupon.value)).toEqual([value]);
      },
      'none by its code': ({ path }) => page(`${path}/coupons/no_total?exactMatch=true&value=nothing`),
      'those of a customer': ({ path }) => page(`${path}/coupons/no_total?recipientIntegrationId=nobody`),
      'those that are valid': ({ path }) => page(`${path}/coupons/no_total?valid=validNow&sort=-id`),
      'the first byte of the export': ({ applicationId }) =>
        firstByte(`/v1/applications/${applicationId}/export_coupons`),
    };
    const medianMs = async (work: () => Promise<unknown>): Promise<number> => {
      const times: number[] = [];
      for (let turn = 0; turn < 15; turn += 1) {
        const began = performance.now();
        await work();
        times.push(performance.now() - began);
      }
      return times.sort((one, other) => one - other)[7]!;
    };
    for (const [what, work] of Object.entries(ways)) {
      const ofFew = await medianMs(() => work(few, FEW));
      const ofMany = await medianMs(() => work(many, MANY));
      expect([what, Math.round(ofMany), Math.round(ofFew), ofMany < 3 * ofFew + 20]).toEqual([
        what,
        expect.any(Number),
        expect.any(Number),
        true,
      ]);
    }
  }, 120_000);

  it('are exported, every one, without growing with the file', async () => {
    const before = memoryMb();
    const request = httpRequest(`${server.url}/v1/applications/${many.applicationId}/export_coupons?valuesOnly=true`, {
      headers: { authorization: admin.authorization },
    });
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let lines = 0;
    for await (const chunk of response) {
      for (let at = (chunk as Buffer).indexOf(0x0a); at !== -1; at = (chunk as Buffer).indexOf(0x0a, at + 1)) {
        lines += 1;
      }
    }
    expect(lines).toBe(MANY + 1);
    expect(memoryMb() - before).toBeLessThan(GROWTH_MB_MAX);
  }, 300_000);
});
