import { readdirSync, readlinkSync } from 'node:fs';
import { createAuthority, type Ending, ENDINGS } from '../support/authorities.js';
import {
  beginUpload,
  type CouponPlace,
  createPlace,
  generateCoupons,
  IMPORT_COUPONS,
  importCoupons,
  until,
} from '../backoffice/coupon-fixtures.js';
import { Replicas } from '../support/replicas.js';
import { SlowReader } from '../support/slow-reader.js';

/** The promise is one second. A busy machine may add half a second. */
const RESET_MS = 1500;
/** How long a test watches a connection that should have been reset. */
const WATCH_MS = 4000;
/** The promise for uploads is two seconds. A busy machine may add one. */
const UPLOAD_REFUSED_MS = 3000;
const COUPONS = 3000;
const UPDATES = 500;

const EXPORT = '/v1/applications/{applicationId}/export_coupons';
const LIST = '/v1/applications/{applicationId}/campaigns/{campaignId}/coupons/no_total';
const CHANGES = '/v1/changes';

/** `EVERY_ENDING=1` tests every ending everywhere, which takes minutes. Otherwise only exports test all endings. */
const every = process.env.EVERY_ENDING === '1';

/** Returns endings that close an endpoint. An Application that has coupons cannot be deleted. */
function endingsOf(path: string, oneIn: number): (Ending & { path: string })[] {
  return ENDINGS.filter(({ concerns, applications }) => applications === undefined && (!concerns || path === CHANGES))
    .filter((_, index) => every || index % oneIn === 0)
    .map((ending) => ({ ...ending, path }));
}

describe('after the response to an end of authority', () => {
  let replicas: Replicas;
  let place: CouponPlace;

  beforeAll(async () => {
    replicas = await Replicas.start(2, { IMPORTS_CONCURRENT_MAX: '1' });
    place = await createPlace(replicas.keeper());
    const attributes = { filler: 'x'.repeat(9900) };
    for (let created = 0; created < COUPONS; created += 1000) {
      const { status } = await generateCoupons(
        replicas.keeper(),
        place,
        { numberOfCoupons: 1000, attributes },
        '?silent=yes',
      );
      expect([200, 204]).toContain(status);
    }
    for (let update = 0; update < UPDATES; update += 1) {
      const description = String(update % 10).repeat(9900);
      expect(await replicas.keeper().put(place.path, { description, name: 'Large' })).toMatchObject({ status: 200 });
    }
  }, 120_000);
  afterAll(() => replicas.stop());

  function pathOf(template: string): string {
    const filled = template
      .replace('{applicationId}', String(place.applicationId))
      .replace('{campaignId}', String(place.campaignId));
    return template === EXPORT ? filled : `${filled}?pageSize=1000`;
  }

  test.each([EXPORT, LIST, CHANGES])('a slow reader whose authority remains valid gets all of %s', async (path) => {
    const { authorization } = await createAuthority(replicas, { kind: 'key' }, [{ method: 'GET', path }]);
    const reader = await SlowReader.begin(replicas.servers[0]!.url, pathOf(path), authorization);
    const began = performance.now();
    await until('two seconds have passed', () => performance.now() - began > 2000);
    expect(reader.isComplete).toBe(false);
    await reader.readOn();
    expect(reader.isComplete).toBe(true);
    reader.drop();
  });

  test.each([...endingsOf(EXPORT, 1), ...endingsOf(LIST, 4), ...endingsOf(CHANGES, 2)])(
    'a slow reader of $path is disconnected within a second, and gets no later data: $name',
    async ({ path, ...ending }: Ending & { path: string }) => {
      const caller = await createAuthority(replicas, ending, [{ method: 'GET', path }]);
      const reader = await SlowReader.begin(replicas.servers[0]!.url, pathOf(path), caller.authorization);
      await ending.end(replicas, caller);
      const ended = performance.now();
      const later = `LATER-${ended}`;
      await generateCoupons(replicas.keeper(1), place, { couponPattern: `${later}-#` });
      await until(
        'the connection has ended, or was watched for long enough',
        () => reader.connection !== 'established' || performance.now() - ended > WATCH_MS,
      );
      const afterMs = performance.now() - ended;
      const { connection } = reader;
      await reader.readOn();
      reader.drop();
      expect({
        connection,
        when: afterMs <= RESET_MS ? 'in time' : `after ${Math.round(afterMs)} ms or more`,
        isComplete: reader.isComplete,
        hasLaterCoupon: reader.text().includes(later),
      }).toEqual({ connection: 'reset', when: 'in time', isComplete: false, hasLaterCoupon: false });
    },
  );

  function uploadsOpen(): string[] {
    const folder = `/proc/${replicas.servers[0]!.pid}/fd`;
    return readdirSync(folder)
      .map((descriptor) => {
        try {
          return readlinkSync(`${folder}/${descriptor}`);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
            // The file was closed in the meantime.
            return '';
          }
          throw error;
        }
      })
      .filter((file) => file.includes('latchkey-upload'));
  }

  test.each(endingsOf(IMPORT_COUPONS.path, 3))(
    'a slow upload is refused within two seconds, and its slot and temporary file are freed: $name',
    async ({ path: _path, ...ending }) => {
      const caller = await createAuthority(replicas, ending, [IMPORT_COUPONS]);
      const upload = beginUpload(replicas.as(caller.authorization), place);
      let line = 0;
      const trickle = setInterval(() => upload.send(`TRICKLE-${caller.owner.id}-${(line += 1)}\n`), 50);
      let refusedMs: number | undefined;
      try {
        upload.send('value\n');
        await until('the upload has a temporary file', () => uploadsOpen().length === 1 && line > 3);
        await ending.end(replicas, caller);
        const ended = performance.now();
        const answer = upload.answer.then((response) => {
          refusedMs = performance.now() - ended;
          return response;
        });
        // The failure is reported below.
        answer.catch(() => undefined);
        await until(
          'the upload is refused, or was watched for long enough',
          () => refusedMs !== undefined || performance.now() - ended > WATCH_MS,
        );
        expect(refusedMs).toBeLessThan(UPLOAD_REFUSED_MS);
        expect(await answer).toMatchObject({ status: 401 });
        // The response does not wait until the file is closed.
        await until('the temporary file is closed', () => uploadsOpen().length === 0, UPLOAD_REFUSED_MS - refusedMs!);
        const code = `FREE-${caller.owner.id}`;
        expect(await importCoupons(replicas.keeper(), place, `value\n${code}\n`)).toMatchObject({ status: 200 });
      } finally {
        clearInterval(trickle);
        upload.cut();
        await until('no upload is left', () => uploadsOpen().length === 0);
      }
    },
  );
});
