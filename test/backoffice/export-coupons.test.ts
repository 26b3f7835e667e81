import { once } from 'node:events';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { type Options as CsvOptions, parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { guard } from '../../src/backoffice/coupon-export/formula-guard.js';
import type { Client, ProblemBody } from '../support/client.js';
import {
  type Coupon,
  type CouponPlace,
  createCampaign,
  createPlace,
  generateCoupons,
  importCoupons,
  listCoupons,
} from './coupon-fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

const NOW = '2026-11-23T12:00:00.000Z';
const COLUMNS =
  'value,expirydate,startdate,recipientintegrationid,limitval,discountlimit,attributes,reservation_limitval,is_reservation_mandatory';

describe('exporting coupons', () => {
  let latchkey: Latchkey;
  let admin: Client;
  let place: CouponPlace;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    admin = latchkey.admin;
  });
  beforeEach(async () => {
    place = await createPlace(admin);
  });
  afterAll(() => latchkey.close());

  const exportCsv = async (query = '', from = place): Promise<string> => {
    const { status, body } = await admin.get<string>(`/v1/applications/${from.applicationId}/export_coupons${query}`);
    expect(status).toBe(200);
    return body;
  };
  const codes = async (query = ''): Promise<string[]> =>
    (await exportCsv(query))
      .split('\n')
      .slice(1, -1)
      .map((line) => line.split(',')[0]!);

  it('answers with a file that has the columns of the import and some more', async () => {
    const csv =
      'value,expirydate,startdate,recipientintegrationid,limitval,discountlimit,attributes\n' +
      'SUMMER-1,2027-06-30T22:00:00+02:00,2027-01-01T00:00:00Z,customer-7,5,2.5,"{""a"": ""b""}"\n';
    await importCoupons(admin, place, csv);
    const { headers, body } = await admin.get<string>(`/v1/applications/${place.applicationId}/export_coupons`);
    expect(headers.get('content-type')).toBe('application/csv; charset=utf-8');
    expect(headers.get('content-disposition')).toBe('attachment; filename="coupons.csv"');
    const [coupon] = await listCoupons(admin, place);
    expect(body).toBe(
      'value,expirydate,startdate,recipientintegrationid,limitval,discountlimit,attributes,reservation_limitval,' +
        'is_reservation_mandatory,id,created,campaignid,batchid,counter\n' +
        'SUMMER-1,2027-06-30T20:00:00.000Z,2027-01-01T00:00:00.000Z,customer-7,5,2.5,"{""a"":""b""}",,true,' +
        `${coupon!.id},${NOW},${place.campaignId},${coupon!.batchId},0\n`,
    );
  });

  it('tells a HEAD what it would be, and reads no coupons for that', async () => {
    const path = `/v1/applications/${place.applicationId}/export_coupons`;
    const { status, headers, body } = await admin.send('HEAD', path);
    expect([status, headers.get('content-disposition'), body]).toEqual([200, 'attachment; filename="coupons.csv"', '']);
  });

  it('has nothing but the header for an Application without coupons, and that can be imported', async () => {
    const csv = await exportCsv();
    expect(csv.split('\n')).toHaveLength(2);
    expect((await importCoupons(admin, place, csv)).body.amount).toBe(0);
  });

  it('puts an apostrophe before what a spreadsheet would run', async () => {
    const csv = 'value\n"\'=1+1"\n"\'+A1"\n"\'-A1"\n"\'@SUM"\n" \'=1+1"\n"\t\'=1"\n"x;\'=1"\nSUMMER-1\n';
    await importCoupons(admin, place, csv);
    expect((await listCoupons(admin, place)).map(({ value }) => value)).toEqual([
      '=1+1',
      '+A1',
      '-A1',
      '@SUM',
      ' =1+1',
      '\t=1',
      'x;=1',
      'SUMMER-1',
    ]);
    expect(await codes()).toEqual(["'=1+1", "'+A1", "'-A1", "'@SUM", '" \'=1+1"', '"\t\'=1"', "x;'=1", 'SUMMER-1']);
  });

  it('has no cell that begins with a formula, wherever it is split, quotes or not', async () => {
    const formula = "=cmd|' /C calc'!A0";
    const ends = [',', ';', '|', '\t', '\n', '\r\n', '"', '";', '"; "', "';", '",', '\t"'];
    for (const [nth, end] of ends.entries()) {
      const text = `x${end}${formula}`;
      const body = { recipientIntegrationId: text, attributes: { [text]: [text, -1, 1, -2] } };
      const generated = await generateCoupons(admin, place, { ...body, couponPattern: `${nth}${text}` });
      expect(generated.status).toBe(200);
    }
    const file = await exportCsv();
    const splits: CsvOptions[] = [',', ';', '|', '\t'].flatMap((delimiter) => [
      { delimiter },
      { delimiter, quote: null },
      { delimiter, quote: null, ltrim: true },
    ]);
    for (const split of splits) {
      const rows = parse(file, { ...split, relax_column_count: true, relax_quotes: true }) as string[][];
      expect(rows.length).toBeGreaterThan(ends.length);
      expect(rows.flat().filter((cell) => /^[\s"]*[=+\-@]/.test(cell))).toEqual([]);
    }
    const to = await createPlace(admin);
    expect((await importCoupons(admin, to, file)).body).toMatchObject({ amount: ends.length });
    expect((await listCoupons(admin, to)).map(lasting)).toEqual((await listCoupons(admin, place)).map(lasting));
  });

  describe('and importing them again', () => {
    const tricky = fc.constantFrom(
      "'",
      '"',
      ',',
      ';',
      '|',
      '\n',
      '\r',
      '\t',
      ' ',
      '=',
      '+',
      '-',
      '@',
      '＝',
      '\\',
      '#',
      'a',
      '7',
    );
    const text = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
      fc
        .array(fc.oneof(tricky, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })), { minLength, maxLength })
        .map((characters) => characters.join(''))
        .filter((value) => !value.includes('\0') && Array.from(value).length <= 100);
    const time = fc
      .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('9999-01-01T00:00:00Z'), noInvalidDate: true })
      .map((date) => date.toISOString());
    const json = fc.dictionary(text(0, 8), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }).map(
      (value) =>
        JSON.parse(
          JSON.stringify(value)
            .replaceAll(/__proto__|constructor|prototype/g, 'a name that is refused')
            .replaceAll('\\u0000', ''),
        ) as object,
    );
    const coupon = fc
      .record({
        couponPattern: text(3, 12).filter((value) => !value.includes('#')),
        usageLimit: fc.nat(2_147_483_647),
        discountLimit: fc.option(fc.double({ min: 0, max: 1e15, noNaN: true })),
        reservationLimit: fc.option(fc.nat(2_147_483_647)),
        startDate: fc.option(time),
        expiryDate: fc.option(time),
        recipientIntegrationId: fc.option(text(1, 12)),
        isReservationMandatory: fc.boolean(),
        attributes: json,
      })
      .filter(({ startDate, expiryDate }) => startDate === null || expiryDate === null || startDate < expiryDate);

    it('into another Application loses nothing of any coupon', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(coupon, {
            minLength: 8,
            maxLength: 24,
            size: 'max',
            selector: ({ couponPattern }) => couponPattern,
          }),
          async (coupons) => {
            const from = await createPlace(admin);
            for (const request of coupons) {
              const made = await admin.post(`${from.path}/coupons`, { ...request, numberOfCoupons: 1 });
              expect([made.status, request]).toEqual([200, request]);
            }
            const to = await createPlace(admin);
            const { status, body } = await importCoupons(admin, to, await exportCsv('', from));
            expect([status, body.errors, body.amount]).toEqual([200, undefined, coupons.length]);
            const before = await listCoupons(admin, from);
            expect(before.map(({ value }) => value)).toEqual(coupons.map(({ couponPattern }) => couponPattern));
            expect((await listCoupons(admin, to)).map(lasting)).toEqual(before.map(lasting));
          },
        ),
        // About a hundred coupons. Shrinking over HTTP would take longer than the test may.
        { numRuns: 8, endOnFailure: true },
      );
    }, 60_000);

    it('which were imported, however long, loses nothing either, and exporting again makes the same file', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(fc.record({ value: text(3, 100), rest: coupon, recipient: text(1, 100) }), {
            minLength: 10,
            maxLength: 60,
            size: 'max',
            selector: ({ value }) => value,
          }),
          async (coupons) => {
            const rows = coupons.map(({ value, rest, recipient }) => [
              guard(value),
              rest.expiryDate,
              rest.startDate,
              guard(recipient),
              rest.usageLimit,
              rest.discountLimit,
              guard(JSON.stringify(rest.attributes)),
              rest.reservationLimit,
              rest.isReservationMandatory,
            ]);
            const cell = (content: unknown): string => `"${String(content ?? '').replaceAll('"', '""')}"`;
            const csv = [COLUMNS, ...rows.map((row) => row.map(cell).join(','))].join('\r\n');
            const from = await createPlace(admin);
            expect((await importCoupons(admin, from, csv)).body).toMatchObject({ amount: coupons.length });
            const before = await listCoupons(admin, from);
            expect(before.map(({ value }) => value)).toEqual(coupons.map(({ value }) => value));

            const file = await exportCsv('', from);
            const to = await createPlace(admin);
            expect((await importCoupons(admin, to, file)).body).toMatchObject({ amount: coupons.length });
            expect((await listCoupons(admin, to)).map(lasting)).toEqual(before.map(lasting));
            expect(withoutOwn(await exportCsv('', to))).toEqual(withoutOwn(file));
          },
        ),
        { numRuns: 8, endOnFailure: true },
      );
    }, 60_000);
  });

  describe('with filters', () => {
    it('has what the list has: by campaign, and in each by coupon, both ways round', async () => {
      const second = await createCampaign(admin, place.applicationId);
      await importCoupons(admin, second, 'value\nB-1\n');
      await importCoupons(admin, place, 'value\nA-1\nA-2\n');
      await importCoupons(admin, second, 'value\nB-2\n');
      expect(await codes()).toEqual(['A-1', 'A-2', 'B-1', 'B-2']);
      expect(await codes('?sort=-id')).toEqual(['B-2', 'B-1', 'A-2', 'A-1']);
      expect(await codes(`?campaignId=${second.campaignId}`)).toEqual(['B-1', 'B-2']);
      expect(await codes('?value=1')).toEqual(['A-1', 'B-1']);
      expect(await codes('?value=B-2&exactMatch=true')).toEqual(['B-2']);
      expect(await codes('?valid=expired')).toEqual([]);
      expect(await codes(`?createdBefore=${NOW}`)).toEqual([]);
      expect(await codes('?valid=validNow&usable=true&dateFormat=ISO8601')).toEqual(['A-1', 'A-2', 'B-1', 'B-2']);
      const [coupon] = await listCoupons(admin, second);
      expect(await codes(`?batchId=${coupon!.batchId}`)).toEqual(['B-1']);
      expect(await exportCsv('?valuesOnly=true')).toBe('value\nA-1\nA-2\nB-1\nB-2\n');
    });

    it('are refused before it begins, whether there is anything to export or not', async () => {
      const empty = await createPlace(admin);
      await importCoupons(admin, place, 'value\nABC\n');
      for (const { applicationId } of [place, empty]) {
        for (const query of ['exactMatch=true', 'exactMatch=true&batchId=x', 'valid=never', 'dateFormat=excel']) {
          const path = `/v1/applications/${applicationId}/export_coupons?${query}`;
          const { status, body } = await admin.get<ProblemBody>(path);
          expect([query, status, body.code]).toEqual([query, 400, 'validation-failed']);
        }
      }
    });

    it('by the state of campaigns takes those that the list of campaigns shows so', async () => {
      const second = await createCampaign(admin, place.applicationId);
      await importCoupons(admin, place, 'value\nRUNNING\n');
      await importCoupons(admin, second, 'value\nDISABLED\n');
      await admin.put(second.path, { name: 'Disabled', state: 'disabled' });
      expect(await codes('?campaignState=running')).toEqual(['RUNNING']);
      expect(await codes('?campaignState=enabled')).toEqual(['RUNNING']);
      expect(await codes('?campaignState=disabled')).toEqual(['DISABLED']);
      expect(await codes('?campaignState=expired')).toEqual([]);
    });

    it('refuses what is not a filter, and campaigns and Applications that are not there', async () => {
      const path = `/v1/applications/${place.applicationId}/export_coupons`;
      for (const query of ['?pageSize=5', '?colour=red', '?dateFormat=excel', '?sort=value', '?campaignId=x']) {
        expect((await admin.get<ProblemBody>(path + query)).body.code).toBe('validation-failed');
      }
      const other = await createPlace(admin);
      const query = `?campaignId=${other.campaignId}`;
      expect((await admin.get<ProblemBody>(path + query)).body.code).toBe('campaign-not-found');
      const nowhere = '/v1/applications/2147483647/export_coupons';
      expect((await admin.get<ProblemBody>(nowhere)).body.code).toBe('application-not-found');
    });
  });

  describe('to a client that is slow', () => {
    const count = 3000;

    let large: CouponPlace;

    beforeAll(async () => {
      large = await createPlace(admin);
      const attributes = `"{""padding"":""${'x'.repeat(9000)}""}"`;
      const rows = Array.from({ length: count }, (_, number) => `CODE-${number},${attributes}`);
      expect((await importCoupons(admin, large, `value,attributes\n${rows.join('\n')}\n`)).body.amount).toBe(count);
    });

    const begin = async (): Promise<IncomingMessage> => {
      const request = httpRequest(`${latchkey.url}/v1/applications/${large.applicationId}/export_coupons`, {
        headers: { authorization: admin.authorization },
      });
      request.end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      return response;
    };

    it('takes no harm when the client goes away', async () => {
      const response = await begin();
      response.destroy();
      expect(await exportCsv('?valuesOnly=true&value=CODE-7&exactMatch=true', large)).toBe('value\nCODE-7\n');
      expect(latchkey.log()).not.toContain('"level":50');
    });

    it('reads no further than the client does', async () => {
      const response = await begin();
      expect((await admin.delete(`${large.path}/coupons`)).status).toBe(204);
      let lines = 0;
      for await (const chunk of response) {
        lines += (chunk as Buffer).toString('latin1').split('\n').length - 1;
      }
      // The missing lines were not read before the deletion. A million coupons would not fit into memory either.
      expect(lines).toBeGreaterThan(1);
      expect(lines).toBeLessThan(count / 2);
    });
  });
});

/** Returns the cells of an exported file without those that differ for each coupon: id, campaign, batch. */
function withoutOwn(file: string): string[][] {
  return parse(file).map((cells) => cells.slice(0, COLUMNS.split(',').length));
}

/** Returns the fields that must survive an export and an import. */
function lasting({ value, usageLimit, discountLimit, reservationLimit, ...rest }: Coupon): object {
  const { startDate, expiryDate, attributes, recipientIntegrationId, isReservationMandatory } = rest;
  return {
    value,
    usageLimit,
    discountLimit,
    reservationLimit,
    startDate,
    expiryDate,
    attributes,
    recipientIntegrationId,
    isReservationMandatory,
  };
}
