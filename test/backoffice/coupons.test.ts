import type { Client, ProblemBody } from '../support/client.js';
import {
  type Coupon,
  couponCalls,
  type CouponPlace,
  createCampaign,
  createPlace,
  importCoupons,
  listCoupons,
  until,
} from './coupon-fixtures.js';
import { createKey } from '../support/fixtures.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, type Latchkey, startLatchkey } from '../support/harness.js';
import { size } from '../support/size.js';

interface Change {
  entity: string;
  old: Record<string, unknown> | null;
  new: Record<string, unknown> | null;
}

const NOW = '2026-11-23T12:00:00.000Z';

describe('coupons', () => {
  let latchkey: Latchkey;
  let admin: Client;
  let place: CouponPlace;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    admin = latchkey.admin;
  });
  beforeEach(async () => {
    latchkey.clock.set(NOW);
    place = await createPlace(admin);
  });
  afterAll(() => latchkey.close());

  const { values, importRows, generate } = couponCalls(() => ({ admin, place }));
  const changes = async (): Promise<Change[]> =>
    (
      await admin.get<{ data: Change[] }>(`/v1/changes?applicationId=${place.applicationId}&pageSize=1000`)
    ).body.data.filter((change) => change.entity.includes('coupons'));

  describe('generated coupons', () => {
    it('have codes of their pattern, all different, and what the request says about them', async () => {
      const { status, body } = await generate({
        numberOfCoupons: 600,
        couponPattern: 'SUMMER-####',
        validCharacters: ['A', 'B', 'C', '2', '3', 'ü'],
        usageLimit: 0,
        discountLimit: 12.5,
        reservationLimit: 3,
        startDate: '2027-01-01T00:00:00+01:00',
        expiryDate: '2027-06-30T22:00:00Z',
        recipientIntegrationId: 'customer-7',
        attributes: { channel: 'newsletter' },
        isReservationMandatory: false,
        limits: [],
      });
      expect([status, body.totalResultSize, body.data.length]).toEqual([200, 600, 600]);
      expect(new Set(body.data.map(({ value }) => value)).size).toBe(600);
      for (const coupon of body.data) {
        expect(coupon.value).toMatch(/^SUMMER-[ABC23ü]{4}$/);
        expect(coupon).toMatchObject({
          usageLimit: 0,
          discountLimit: 12.5,
          reservationLimit: 3,
          startDate: '2026-12-31T23:00:00.000Z',
          expiryDate: '2027-06-30T22:00:00.000Z',
          recipientIntegrationId: 'customer-7',
          attributes: { channel: 'newsletter' },
          isReservationMandatory: false,
          importId: null,
          batchId: body.data[0]!.batchId,
        });
      }
      expect(await listCoupons(admin, place)).toEqual(body.data);
    });

    it('need nothing said but their number and use', async () => {
      const { body } = await generate({});
      expect(body.data[0]).toMatchObject({
        value: expect.stringMatching(/^[A-Z0-9]{8}$/) as string,
        usageLimit: 1,
        discountLimit: null,
        reservationLimit: null,
        startDate: null,
        expiryDate: null,
        recipientIntegrationId: null,
        attributes: {},
        isReservationMandatory: true,
      });
    });

    it('may go without an answer', async () => {
      const { status, body } = await generate({ numberOfCoupons: 3, couponPattern: 'X-###' }, '?silent=yes');
      expect([status, body]).toEqual([204, '']);
      expect(await values()).toHaveLength(3);
    });

    it('use up the room of their pattern around codes that exist already', async () => {
      const digits = Array.from('0123456789');
      await importRows('value\nS-1\nS-5\nS-9\n');
      const { body } = await generate({ numberOfCoupons: 7, couponPattern: 'S-#', validCharacters: digits });
      expect(body.data.map(({ value }) => value).sort()).toEqual(['S-0', 'S-2', 'S-3', 'S-4', 'S-6', 'S-7', 'S-8']);
      const full = await generate({ couponPattern: 'S-#', validCharacters: digits });
      expect([full.status, full.body.code]).toEqual([400, 'pattern-too-narrow']);
      expect(full.body.errors?.[0]?.pointer).toBe('/couponPattern');
      expect(await values()).toHaveLength(10);
    });

    it('are refused, all of them, if the pattern is too narrow', async () => {
      for (const body of [
        { numberOfCoupons: 2, couponPattern: 'FIXED' },
        { numberOfCoupons: 11, couponPattern: 'S-#', validCharacters: Array.from('0123456789') },
        { numberOfCoupons: 5, couponPattern: 'S-##', validCharacters: ['A', 'A', 'B'] },
      ]) {
        expect((await generate(body)).body.code).toBe('pattern-too-narrow');
      }
      expect(await values()).toEqual([]);
    });

    it('of two requests at once never have the same code, and fill a pattern between them', async () => {
      const room = { couponPattern: 'T-###', validCharacters: Array.from('0123456789') };
      const answers = await Promise.all([
        generate({ numberOfCoupons: 400, ...room }),
        generate({ numberOfCoupons: 600, ...room }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(new Set(await values()).size).toBe(1000);
    });

    it('may be twenty thousand in one request, and no more', async () => {
      const { status } = await generate({ numberOfCoupons: 20_000, couponPattern: '######' }, '?silent=yes');
      expect(status).toBe(204);
      expect(await values('valuesOnly=true')).toHaveLength(20_000);
      const { body } = await generate({ numberOfCoupons: 20_001, couponPattern: '######' });
      expect(body.errors).toEqual([{ pointer: '/numberOfCoupons', detail: expect.any(String) as string }]);
    });

    it.each([
      ['/usageLimit', { usageLimit: -1 }],
      ['/usageLimit', { usageLimit: 1.5 }],
      ['/usageLimit', { usageLimit: 2_147_483_648 }],
      ['/usageLimit', { usageLimit: null }],
      ['/numberOfCoupons', { numberOfCoupons: 0 }],
      ['/numberOfCoupons', { numberOfCoupons: '5' }],
      ['/couponPattern', { couponPattern: 'AB' }],
      ['/couponPattern', { couponPattern: '#'.repeat(101) }],
      ['/validCharacters/0', { validCharacters: ['AB'] }],
      ['/validCharacters', { validCharacters: 'ABC' }],
      ['/discountLimit', { discountLimit: -0.5 }],
      ['/discountLimit', { discountLimit: 1e16 }],
      ['/reservationLimit', { reservationLimit: 0.5 }],
      ['/startDate', { startDate: '2027-01-01' }],
      ['/expiryDate', { expiryDate: '2027-02-30T00:00:00Z' }],
      ['/expiryDate', { startDate: '2027-02-01T00:00:00Z', expiryDate: '2027-02-01T00:00:00Z' }],
      ['/recipientIntegrationId', { recipientIntegrationId: 'x'.repeat(256) }],
      ['/attributes', { attributes: [] }],
      ['/attributes', { attributes: { text: 'x'.repeat(10_000) } }],
      ['/limits', { limits: ['x'] }],
      ['/uniquePrefix', { uniquePrefix: 'SUMMER' }],
      ['/colour', { colour: 'red' }],
    ])('are refused with the fault at %s (%#)', async (pointer, body) => {
      const { status, body: problem } = await generate(body);
      expect([status, problem.code, problem.errors?.[0]?.pointer]).toEqual([400, 'validation-failed', pointer]);
    });

    it('are told by one entry of the audit trail', async () => {
      const { body } = await generate({ numberOfCoupons: 5, couponPattern: 'A-###' });
      expect(await changes()).toMatchObject([
        {
          entity: `POST ${place.path}/coupons`,
          new: { couponPattern: 'A-###', batchId: body.data[0]!.batchId, coupons: 5 },
        },
      ]);
    });
  });

  describe('a coupon', () => {
    let coupon: Coupon;

    beforeEach(async () => {
      const { body } = await generate({
        couponPattern: 'ONE-COUPON',
        usageLimit: 3,
        discountLimit: 10,
        reservationLimit: 2,
        startDate: '2027-01-01T00:00:00Z',
        expiryDate: '2027-02-01T00:00:00Z',
        recipientIntegrationId: 'customer-1',
        attributes: { a: 1 },
      });
      coupon = body.data[0]!;
    });

    it('changes in what a request names, and in nothing else', async () => {
      const path = `${place.path}/coupons/${coupon.id}`;
      const { status, body } = await admin.put<Coupon>(path, { usageLimit: 9, attributes: { b: [2] } });
      expect([status, body]).toEqual([200, { ...coupon, usageLimit: 9, attributes: { b: [2] } }]);
      expect(await listCoupons(admin, place)).toEqual([body]);
      expect((await admin.put<Coupon>(path, {})).body).toEqual(body);
    });

    it('that a request leaves as it is, is not written, and nothing is recorded', async () => {
      const { usageLimit, discountLimit, reservationLimit, startDate, expiryDate, attributes } = coupon;
      for (const body of [{}, { usageLimit, discountLimit, reservationLimit, startDate, expiryDate, attributes }]) {
        const answer = await admin.put<Coupon>(`${place.path}/coupons/${coupon.id}`, body);
        expect([answer.status, answer.body]).toEqual([200, coupon]);
      }
      expect((await changes()).filter(({ entity }) => entity.startsWith('PUT'))).toEqual([]);
    });

    it('has its discount limit exactly as it was given, to the last digit', async () => {
      const path = `${place.path}/coupons/${coupon.id}`;
      for (const discountLimit of [0, 0.1, 999999.9999999981, 999999999999998.1, 12.345678901234567, 1e15, 5e-324]) {
        expect((await admin.put<Coupon>(path, { discountLimit })).body.discountLimit).toBe(discountLimit);
        expect((await listCoupons(admin, place))[0]!.discountLimit).toBe(discountLimit);
      }
    });

    it('loses what a request sets to null', async () => {
      const cleared = {
        discountLimit: null,
        reservationLimit: null,
        startDate: null,
        expiryDate: null,
        recipientIntegrationId: null,
      };
      const { body } = await admin.put<Coupon>(`${place.path}/coupons/${coupon.id}`, cleared);
      expect(body).toEqual({ ...coupon, ...cleared });
      expect(await listCoupons(admin, place)).toEqual([body]);
    });

    it('cannot be made to expire before it begins, by either date', async () => {
      const path = `${place.path}/coupons/${coupon.id}`;
      for (const dates of [{ expiryDate: '2026-12-31T00:00:00Z' }, { startDate: '2027-02-01T00:00:00Z' }]) {
        const { status, body } = await admin.put<ProblemBody>(path, dates);
        expect([status, body.errors?.[0]?.pointer]).toEqual([400, '/expiryDate']);
      }
    });

    it('keeps its code for ever', async () => {
      const { status } = await admin.put(`${place.path}/coupons/${coupon.id}`, { value: 'ANOTHER' });
      expect(status).toBe(400);
    });

    it('tells the audit trail how it was and how it became', async () => {
      await admin.put(`${place.path}/coupons/${coupon.id}`, { usageLimit: 9 });
      await admin.delete(`${place.path}/coupons/${coupon.id}`);
      const entries = await changes();
      expect(entries).toContainEqual(
        expect.objectContaining({
          entity: `PUT ${place.path}/coupons/${coupon.id}`,
          old: coupon,
          new: { ...coupon, usageLimit: 9 },
        }),
      );
      expect(entries).toContainEqual(
        expect.objectContaining({
          entity: `DELETE ${place.path}/coupons/${coupon.id}`,
          old: { ...coupon, usageLimit: 9 },
        }),
      );
    });

    it('is gone when it is deleted, and its code is free again', async () => {
      const { status } = await admin.delete(`${place.path}/coupons/${coupon.id}`);
      expect(status).toBe(204);
      expect(await values()).toEqual([]);
      const again = await admin.delete<ProblemBody>(`${place.path}/coupons/${coupon.id}`);
      expect([again.status, again.body.code]).toEqual([404, 'coupon-not-found']);
      await importRows(`value\n${coupon.value}\n`);
    });

    it('is not found from another campaign or Application, and stays as it is', async () => {
      const sibling = await createCampaign(admin, place.applicationId);
      const other = await createPlace(admin);
      const paths = [
        [`${sibling.path}/coupons/${coupon.id}`, 'coupon-not-found'],
        [`${other.path}/coupons/${coupon.id}`, 'coupon-not-found'],
        [
          `/v1/applications/${other.applicationId}/campaigns/${place.campaignId}/coupons/${coupon.id}`,
          'campaign-not-found',
        ],
        [`${place.path}/coupons/2147483647`, 'coupon-not-found'],
        [`${place.path}/coupons/0`, 'id-malformed'],
        [`${place.path}/coupons/${coupon.value}`, 'id-malformed'],
      ] as const;
      for (const [path, code] of paths) {
        expect((await admin.put<ProblemBody>(path, { usageLimit: 9 })).body.code).toBe(code);
        expect((await admin.delete<ProblemBody>(path)).body.code).toBe(code);
      }
      expect(await listCoupons(admin, place)).toEqual([coupon]);
    });
  });

  describe('deleting by filter', () => {
    it('takes what fits all filters in its own campaign, and nothing else', async () => {
      const sibling = await createCampaign(admin, place.applicationId);
      await importCoupons(admin, sibling, 'value\nSUMMER-9\n');
      await importRows(
        'value,expirydate\nSUMMER-1,2026-01-01T00:00:00Z\nSUMMER-2,\nWINTER-1,2026-01-01T00:00:00Z\nWINTER-2,\n',
      );
      const { status } = await admin.delete(`${place.path}/coupons?value=SUMMER&valid=expired`);
      expect(status).toBe(204);
      expect(await values()).toEqual(['SUMMER-2', 'WINTER-1', 'WINTER-2']);
      await admin.delete(`${place.path}/coupons?value=WINTER-1&exactMatch=true`);
      expect(await values()).toEqual(['SUMMER-2', 'WINTER-2']);
      await admin.delete(`${place.path}/coupons`);
      expect(await values()).toEqual([]);
      expect((await listCoupons(admin, sibling)).map(({ value }) => value)).toEqual(['SUMMER-9']);
    });

    it('of very many takes them all, and tells the audit trail once how many they were', async () => {
      const codes = Array.from({ length: 7000 }, (_, number) => `CODE-${number}`);
      await importRows(`value\n${codes.join('\n')}\n`);
      await admin.delete(`${place.path}/coupons?value=7`);
      const left = await values();
      expect(left).toEqual(codes.filter((value) => !value.includes('7')));
      const entries = (await changes()).filter(({ entity }) => entity.startsWith('DELETE'));
      expect(entries).toEqual([
        expect.objectContaining({
          entity: `DELETE ${place.path}/coupons`,
          old: { filters: { value: '7' }, coupons: 7000 - left.length },
        }),
      ]);
    });

    it.each(['key', 'session'])(
      'ends with the %s that asked for it; others are answered all the while',
      async (means) => {
        const count = size('scale', 10_000, 20_000);
        await importRows(`value\n${Array.from({ length: count }, (_, number) => `CODE-${number}`).join('\n')}\n`);
        const endpoint = {
          method: 'DELETE',
          path: '/v1/applications/{applicationId}/campaigns/{campaignId}/coupons',
        };
        const key = await createKey(admin, { endpoints: [endpoint] });
        const session = await latchkey.signIn(ADMIN_EMAIL, ADMIN_PASSWORD);
        const caller = means === 'key' ? latchkey.as(`ManagementKey-v1 ${key.key}`) : session;
        const deletion = caller.delete<ProblemBody>(`${place.path}/coupons`);
        const first = `${place.path}/coupons/no_total?pageSize=1`;
        const beginsWith = async (): Promise<string | undefined> => {
          const { status, body } = await admin.get<{ data: Coupon[] }>(first);
          expect(status).toBe(200);
          return body.data[0]?.value;
        };
        await until('the deletion has begun', async () => (await beginsWith()) !== 'CODE-0');
        const ended =
          means === 'key' ? await admin.delete(`/v1/api_keys/${key.id}`) : await session.delete('/v1/sessions');
        expect(ended.status).toBe(204);
        const { status, body } = await deletion;
        expect([status, body.code]).toEqual([401, 'unknown']);
        const left = (await values('valuesOnly=true')).length;
        expect(left).toBeGreaterThan(0);
        const [entry] = (await changes()).filter(({ entity }) => entity === `DELETE ${place.path}/coupons`);
        expect(entry!.old).toEqual({ filters: {}, coupons: count - left });
      },
    );

    it('that nothing fits changes nothing and tells nothing', async () => {
      await importRows('value\nAAA\n');
      expect((await admin.delete(`${place.path}/coupons?value=ZZZ`)).status).toBe(204);
      expect(await values()).toEqual(['AAA']);
      expect((await changes()).filter(({ entity }) => entity.startsWith('DELETE'))).toEqual([]);
    });

    it('takes only what fits a filter that stands behind a thousand others', async () => {
      await importRows('value\nAAA\nBBB\n');
      const { status } = await admin.delete(`${place.path}/coupons?${'&'.repeat(1000)}value=NOPE&exactMatch=true`);
      expect(status).toBe(204);
      expect(await values()).toEqual(['AAA', 'BBB']);
    });

    it('with a parameter that is no filter is refused, and takes nothing', async () => {
      await importRows('value\nAAA\n');
      for (const query of ['valeu=AAA', 'pageSize=1', 'sort=id', 'valid=no']) {
        expect((await admin.delete(`${place.path}/coupons?${query}`)).status).toBe(400);
      }
      expect(await values()).toEqual(['AAA']);
    });
  });

  it('of a campaign go with it', async () => {
    await importRows(`value\n${Array.from({ length: 3000 }, (_, number) => `CODE-${number}`).join('\n')}\n`);
    expect((await admin.delete(place.path)).status).toBe(204);
    expect((await admin.get(`${place.path}/coupons/no_total`)).status).toBe(404);
    const sibling = await createCampaign(admin, place.applicationId);
    expect((await importCoupons(admin, sibling, 'value\nCODE-0\n')).body.amount).toBe(1);
  });
});
