import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import type { Client, ProblemBody } from '../support/client.js';
import {
  beginUpload,
  type CouponPlace,
  createCampaign,
  createPlace,
  IMPORT_COUPONS,
  importCoupons,
  listCoupons,
  until,
} from './coupon-fixtures.js';
import { createAdmin, createKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

interface Change {
  entity: string;
  applicationId: number;
  userId: number;
  managementKeyId?: number;
  new: Record<string, unknown>;
}

const UPLOAD_BYTES_SMALL = 100_000;

const equals = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Returns a file with a header and one code per line. */
function fileOf(count: number, prefix = 'CODE'): string {
  return `value\n${Array.from({ length: count }, (_, number) => `${prefix}-${number}`).join('\n')}\n`;
}

/** Returns the number of open temporary files of this process. Their names are already deleted. */
function openTemporaryFiles(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes('latchkey-upload-');
    } catch {
      // This is the directory itself, which was open while it was read.
      return false;
    }
  }).length;
}

describe('importing coupons', () => {
  let latchkey: Latchkey;
  /** A replica that takes smaller uploads. */
  let small: Latchkey;
  let admin: Client;
  let place: CouponPlace;

  beforeAll(async () => {
    latchkey = await startLatchkey({ UPLOAD_BYTES_MAX: String(2 * 1024 * 1024), IMPORTS_CONCURRENT_MAX: '4' });
    small = await startLatchkey({ UPLOAD_BYTES_MAX: String(UPLOAD_BYTES_SMALL) }, { original: latchkey });
    admin = latchkey.admin;
  });
  beforeEach(async () => {
    place = await createPlace(admin);
  });
  afterAll(async () => {
    await small.close();
    await latchkey.close();
  });

  const values = async (): Promise<string[]> =>
    (await listCoupons(admin, place, 'valuesOnly=true')).map(({ value }) => value);

  describe('a good file', () => {
    it('becomes coupons with everything that its columns say, from a file and from a text field', async () => {
      const csv =
        'limitval,value,attributes,discountlimit,expirydate,startdate,recipientintegrationid\r\n' +
        '5,SUMMER-1,"{""channel"": ""newsletter"", ""n"": [1, null]}",2.5,2027-06-30T22:00:00+02:00,2027-01-01T00:00:00Z,customer-7\r\n' +
        ',"SUM,MER ""2""",,,,,\r\n';
      for (const fileName of ['coupons.csv', '']) {
        place = await createPlace(admin);
        const { status, body } = await importCoupons(admin, place, `\ufeff${csv}`, { fileName });
        expect([status, body.amount, body.entity, body.accountId, body.created]).toEqual([
          200,
          2,
          'Coupon',
          1,
          '2026-11-23T12:00:00.000Z',
        ]);
        const [first, second] = await listCoupons(admin, place);
        expect(first).toEqual({
          id: expect.any(Number) as number,
          created: '2026-11-23T12:00:00.000Z',
          campaignId: place.campaignId,
          value: 'SUMMER-1',
          usageLimit: 5,
          discountLimit: 2.5,
          reservationLimit: null,
          startDate: '2027-01-01T00:00:00.000Z',
          expiryDate: '2027-06-30T20:00:00.000Z',
          limits: [],
          usageCounter: 0,
          discountCounter: 0,
          attributes: { channel: 'newsletter', n: [1, null] },
          recipientIntegrationId: 'customer-7',
          importId: body.id,
          reservation: false,
          batchId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
          isReservationMandatory: true,
          implicitlyReserved: false,
        });
        expect(second).toMatchObject({
          value: 'SUM,MER "2"',
          usageLimit: 1,
          discountLimit: null,
          expiryDate: null,
          attributes: {},
          recipientIntegrationId: null,
          batchId: first!.batchId,
        });
      }
    });

    it('may be longer than what form parsers keep of a text field, and arrives whole', async () => {
      const rows = Array.from({ length: 200 }, (_, number) => `CODE-${number},"{""text"":""${'x'.repeat(9000)}""}"`);
      const csv = `value,attributes\n${rows.join('\n')}\n`;
      expect(csv.length).toBeGreaterThan(1.5 * 1024 * 1024);
      const { body } = await importCoupons(admin, place, csv, { fileName: '' });
      expect(body.amount).toBe(200);
    });

    it('may be imported with a key, and is told by one entry of the audit trail, with its count', async () => {
      const { id, key } = await createKey(admin, {
        endpoints: [IMPORT_COUPONS],
        allowedApplicationIds: [place.applicationId],
      });
      const byKey = latchkey.as(`ManagementKey-v1 ${key}`);
      const { body } = await importCoupons(byKey, place, fileOf(3));
      const { data } = (await admin.get<{ data: Change[] }>(`/v1/changes?applicationId=${place.applicationId}`)).body;
      const entries = data.filter((change) => change.entity === `POST ${place.path}/import_coupons`);
      expect(entries).toHaveLength(1);
      expect(entries[0]).toMatchObject({
        managementKeyId: id,
        userId: body.userId,
        new: { importId: body.id, coupons: 3 },
      });
    });

    it('with nothing but its header makes no coupons', async () => {
      const { status, body } = await importCoupons(admin, place, 'value,expirydate\n');
      expect([status, body.amount]).toEqual([200, 0]);
      expect(await values()).toEqual([]);
    });

    it('keeps codes apart that other readers would take for the same', async () => {
      const codes = ['abc', 'ABC', 'abc ', ' abc', 'ábc', 'a\u0301bc', '=abc', "'=abc", '优惠券', '🎁🎁🎁'];
      const csv = `value\n${codes.map((code) => `"${code.replace(/^'*=/, "'$&")}"`).join('\n')}\n`;
      expect((await importCoupons(admin, place, csv)).body.amount).toBe(codes.length);
      expect(await values()).toEqual(codes);
    });
  });

  it('of very many coupons leaves neither a long write-ahead log nor slower commits behind', async () => {
    if (latchkey.database.engine === 'mysql') {
      return;
    }
    const autocheckpoint = (): Promise<unknown> =>
      latchkey.get(TransactionRunner).inTransaction((tx) => tx.query('PRAGMA wal_autocheckpoint'));
    const before = await autocheckpoint();
    const log = `${latchkey.database.url.slice('sqlite:'.length)}-wal`;
    expect((await importCoupons(admin, place, fileOf(12_000))).body.amount).toBe(12_000);
    await until('the log was copied', () => statSync(log).size < 512 * 1024);
    await until('commits copy it again', async () => equals(await autocheckpoint(), before));
  });

  describe('a faulty file', () => {
    it('imports nothing if its last row is at fault, and names the line', async () => {
      const { status, body } = await importCoupons(admin, place, `${fileOf(5000)}AB\n`);
      expect([status, body.code, body.errors]).toEqual([
        400,
        'import-invalid',
        [{ line: 5002, detail: 'value must have 3 to 100 characters' }],
      ]);
      expect(await values()).toEqual([]);
    });

    it.each([
      ['is empty', '', 1],
      ['lacks the column value', 'code,expirydate\nABC,\n', 1],
      ['has a wrong date', 'value,expirydate\nABC,2027-02-30T00:00:00Z\n', 2],
      ['has a date without its time', 'value,startdate\nABC,2027-02-03\n', 2],
      ['has a row with too many cells', 'value,limitval\nABC,1\nDEF,1,2\n', 3],
      ['has a quote that is never closed', 'value\nABC\n"DEF\n', 3],
      ['is not UTF-8', Buffer.from('value\nGR\u00dcN\n', 'latin1'), 2],
    ])('is refused if it %s', async (_what, csv, line) => {
      const { status, body } = await importCoupons(admin, place, csv);
      expect([status, body.code, body.errors?.[0]?.line]).toEqual([400, 'import-invalid', line]);
      expect(await values()).toEqual([]);
    });

    it('lists a hundred faults at the most', async () => {
      const { body } = await importCoupons(admin, place, `value\n${'AB\n'.repeat(500)}`);
      expect(body.errors).toHaveLength(100);
    });
  });

  describe('codes that are taken', () => {
    it('are named with their lines, whether by the Application or by the file, and nothing is imported', async () => {
      const sibling = await createCampaign(admin, place.applicationId);
      await importCoupons(admin, sibling, 'value\nTAKEN-1\nTAKEN-2\n');
      const rows = fileOf(600).split('\n').slice(0, -1);
      rows[10] = 'TAKEN-2';
      rows[20] = rows[19]!;
      rows[550] = rows[1]!;
      const { status, body } = await importCoupons(admin, place, `${rows.join('\n')}\n`);
      expect([status, body.code]).toEqual([409, 'coupon-exists']);
      expect(body.errors).toEqual([
        { line: 11, detail: 'the code "TAKEN-2" exists in this Application already' },
        { line: 21, detail: 'the code "CODE-18" is already in an earlier line of the file' },
        { line: 551, detail: 'the code "CODE-0" is already in an earlier line of the file' },
      ]);
      expect(await values()).toEqual([]);
    });

    it('are passed over if that is asked for, and only those that were made are counted', async () => {
      const sibling = await createCampaign(admin, place.applicationId);
      await importCoupons(admin, sibling, 'value\nTAKEN-1\nCODE-7\n');
      const csv = `${fileOf(600)}CODE-3\nTAKEN-1\nCODE-9\n`;
      const { status, body } = await importCoupons(admin, place, csv, { query: '?skipDuplicates=true' });
      expect([status, body.amount]).toEqual([200, 599]);
      expect(await values()).toHaveLength(599);
      expect((await listCoupons(admin, sibling)).map(({ value }) => value)).toEqual(['TAKEN-1', 'CODE-7']);
    });

    it('are free in another Application', async () => {
      await importCoupons(admin, place, fileOf(3));
      const other = await createPlace(admin);
      expect((await importCoupons(admin, other, fileOf(3))).body.amount).toBe(3);
    });

    it('are given to one of two imports at once, and the other is told', async () => {
      const answers = await Promise.all([
        importCoupons(admin, place, fileOf(2000)),
        importCoupons(admin, place, fileOf(2000)),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
      expect(answers.find(({ status }) => status === 409)!.body.errors).toHaveLength(100);
      expect(await values()).toHaveLength(2000);
    });

    it('are shared out between two imports at once that pass over what is taken', async () => {
      const query = '?skipDuplicates=true';
      const answers = await Promise.all([
        importCoupons(admin, place, fileOf(1500), { query }),
        importCoupons(admin, place, `${fileOf(1000)}MORE\n`, { query }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(answers[0].body.amount + answers[1].body.amount).toBe(1501);
      expect(await values()).toHaveLength(1501);
    });
  });

  describe('an upload', () => {
    it.each(['coupons.csv', ''])('that is too large imports nothing (file name "%s")', async (fileName) => {
      const csv = fileOf(15_000);
      expect(csv.length).toBeGreaterThan(UPLOAD_BYTES_SMALL);
      const { status, body } = await importCoupons(small.admin, place, csv, { fileName });
      expect([status, body.code]).toEqual([413, 'body-too-large']);
      expect(await values()).toEqual([]);
    });

    it('that is no form, or has no file, is refused', async () => {
      const send = async (type: string, body: string): Promise<unknown> =>
        (await admin.post<ProblemBody>(`${place.path}/import_coupons`, body, { 'content-type': type })).body.code;
      expect(await send('text/csv', fileOf(3))).toBe('media-type-unsupported');
      expect(await send('application/json', '{}')).toBe('media-type-unsupported');
      const part =
        '--b\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\nvalue\nABC\n\r\n--b--\r\n';
      expect(await send('multipart/form-data; boundary=b', part)).toBe('upload-missing');
      expect(await send('multipart/form-data; boundary=b', '--b\r\n')).toBe('body-incomplete');
      expect(await send('multipart/form-data; boundary=b', '')).toBe('body-incomplete');
    });

    it('to a campaign that is not there, or in another Application, is refused', async () => {
      const other = await createPlace(admin);
      const crossed = { ...place, path: `/v1/applications/${other.applicationId}/campaigns/${place.campaignId}` };
      expect((await importCoupons(admin, crossed, fileOf(3))).body.code).toBe('campaign-not-found');
      const nowhere = { ...place, path: `/v1/applications/${place.applicationId}/campaigns/2147483647` };
      expect((await importCoupons(admin, nowhere, fileOf(3))).body.code).toBe('campaign-not-found');
      expect(await values()).toEqual([]);
    });

    it('with a parameter that is not known, or not so, is refused', async () => {
      for (const query of ['?skipDuplicates=maybe', '?skipDuplicate=true']) {
        expect((await importCoupons(admin, place, fileOf(3), { query })).body.code).toBe('validation-failed');
      }
    });

    it('that is cut in the middle imports nothing and leaves nothing behind', async () => {
      const upload = beginUpload(admin, place);
      upload.send(fileOf(10_000));
      await until('the upload is being received', () => openTemporaryFiles() === 1);
      upload.cut();
      await until('its temporary file is gone', () => openTemporaryFiles() === 0);
      expect(await values()).toEqual([]);
      expect((await importCoupons(admin, place, fileOf(3))).body.amount).toBe(3);
    });

    it('that is slow delays no other request', async () => {
      const slow = beginUpload(admin, place);
      slow.send('value\nSLOW-1\n');
      await until('the upload is being received', () => openTemporaryFiles() === 1);
      expect((await importCoupons(admin, place, fileOf(100))).body.amount).toBe(100);
      for (const piece of 'SLOW-2\n') {
        slow.send(piece);
      }
      const { body } = await slow.end();
      expect(body.amount).toBe(2);
    });

    it('that is at fault is answered when all of it has been sent', async () => {
      const slow = beginUpload(admin, place);
      slow.send('code\nABC\n');
      slow.send('x'.repeat(100_000));
      const { status, body } = await slow.end();
      expect([status, body.code]).toEqual([400, 'import-invalid']);
    });
  });

  describe('whoever began an import', () => {
    it('must still be somebody when it is to be kept: a key deleted meanwhile leaves nothing behind', async () => {
      const made = await createKey(admin, { endpoints: [IMPORT_COUPONS] });
      const upload = beginUpload(latchkey.as(`ManagementKey-v1 ${made.key}`), place);
      upload.send(fileOf(1000));
      await until('the upload is being received', () => openTemporaryFiles() === 1);
      await admin.delete(`/v1/api_keys/${made.id}`);
      const { status, body } = await upload.end();
      expect([status, body.code]).toEqual([401, 'unknown']);
      expect(await values()).toEqual([]);
    });

    it('must still be active: neither a deactivated creator nor an ended session imports anything', async () => {
      const creator = await createAdmin(latchkey);
      const made = await createKey(creator.client, { endpoints: [IMPORT_COUPONS] });
      const byKey = beginUpload(latchkey.as(`ManagementKey-v1 ${made.key}`), place);
      const bySession = beginUpload(creator.client, place);
      byKey.send(fileOf(10, 'KEY'));
      bySession.send(fileOf(10, 'SESSION'));
      await until('both uploads are being received', () => openTemporaryFiles() === 2);
      await admin.put(`/v1/users/${creator.id}`, { state: 'deactivated' });
      expect((await byKey.end()).body.code).toBe('creator-deactivated');
      expect((await bySession.end()).body.code).toBe('unknown');
      expect(await values()).toEqual([]);
    });

    it('must find its campaign when it is to be kept: one that is deleted meanwhile takes nothing', async () => {
      const upload = beginUpload(admin, place);
      upload.send(fileOf(10));
      await until('the upload is being received', () => openTemporaryFiles() === 1);
      await admin.delete(place.path);
      const { status, body } = await upload.end();
      expect([status, body.code]).toEqual([404, 'campaign-not-found']);
    });

    it('must still be in time: a key that expires meanwhile imports nothing', async () => {
      const made = await createKey(admin, { endpoints: [IMPORT_COUPONS], expiryDate: '2026-11-23T12:00:01Z' });
      const upload = beginUpload(latchkey.as(`ManagementKey-v1 ${made.key}`), place);
      upload.send(fileOf(10));
      await until('the upload is being received', () => openTemporaryFiles() === 1);
      latchkey.clock.advance(1000);
      expect((await upload.end()).body.code).toBe('expired');
      latchkey.clock.advance(-1000);
      expect(await values()).toEqual([]);
    });
  });
});
