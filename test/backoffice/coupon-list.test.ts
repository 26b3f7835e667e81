import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import type { Client, ProblemBody } from '../support/client.js';
import {
  type Coupon,
  couponCalls,
  type CouponPlace,
  createCampaign,
  createPlace,
  importCoupons,
  listCoupons,
} from './coupon-fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { size } from '../support/size.js';

const NOW = '2026-11-23T12:00:00.000Z';

describe('coupons in lists', () => {
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
  const encode = encodeURIComponent;

  describe('a list', () => {
    it('is empty for a campaign without coupons, whatever the filters', async () => {
      for (const query of ['', 'value=ABC', 'exactMatch=true&value=ABC', 'valid=expired', 'batchId=x', 'sort=-id']) {
        expect(await values(query)).toEqual([]);
      }
    });

    it('has the coupons of its campaign alone, in the order in which they were made or the other way round', async () => {
      const sibling = await createCampaign(admin, place.applicationId);
      await importRows('value\nCCC\nAAA\nBBB\n');
      await importCoupons(admin, sibling, 'value\nDDD\n');
      expect(await values()).toEqual(['CCC', 'AAA', 'BBB']);
      expect(await values('sort=-id')).toEqual(['BBB', 'AAA', 'CCC']);
      expect((await listCoupons(admin, sibling)).map(({ value }) => value)).toEqual(['DDD']);
    });

    it.each(['', 'usable=true', 'value=CODE'])(
      'comes page by page, none twice and none left out (%s)',
      async (filter) => {
        await importRows(`value\n${Array.from({ length: 25 }, (_, number) => `CODE-${number}`).join('\n')}\n`);
        for (const sort of ['id', '-id']) {
          const seen: string[] = [];
          for (let skip = 0, more = true; more; skip += 10) {
            const path = `${place.path}/coupons/no_total?pageSize=10&skip=${skip}&sort=${sort}&${filter}`;
            const { body } = await admin.get<{ hasMore: boolean; data: Coupon[] }>(path);
            seen.push(...body.data.map(({ value }) => value));
            more = body.hasMore;
          }
          const expected = Array.from({ length: 25 }, (_, number) => `CODE-${number}`);
          expect(seen).toEqual(sort === 'id' ? expected : expected.reverse());
        }
        const past = `${place.path}/coupons/no_total?skip=25&${filter}`;
        expect((await admin.get(past)).body).toEqual({ hasMore: false, data: [] });
        const exact = `${place.path}/coupons/no_total?pageSize=25&${filter}`;
        expect((await admin.get<{ hasMore: boolean }>(exact)).body.hasMore).toBe(false);
      },
    );

    describe('of very many', () => {
      let expected: string[];
      let many: CouponPlace;

      beforeAll(async () => {
        many = await createPlace(admin);
        const other = await createCampaign(admin, many.applicationId);
        expected = [];
        for (let round = 0; round < 4; round += 1) {
          // Coupons of another campaign have ids between these.
          const codes = Array.from({ length: 3000 }, (_, number) => `R${round}-${number}`);
          for (const answer of [
            await importCoupons(admin, many, `value\n${codes.join('\n')}\n`),
            await importCoupons(admin, other, `value\nOTHER-${codes.join('\nOTHER-')}\n`),
          ]) {
            expect([answer.status, answer.body.amount]).toEqual([200, codes.length]);
          }
          expected.push(...codes);
        }
      });

      it.each(['', 'usable=true&value=1'])('has the same pages however far behind they are (%s)', async (filter) => {
        const all = (await listCoupons(admin, many, filter)).map(({ value }) => value);
        expect(all).toEqual(expected.filter((code) => filter === '' || code.includes('1')));
        for (const sort of ['id', '-id']) {
          const sorted = sort === 'id' ? all : all.toReversed();
          for (const skip of [0, 1, 999, 1000, 1001, 2999, 3000, all.length - 5, all.length - 1, all.length, 1e6]) {
            const path = `${many.path}/coupons/no_total?pageSize=5&skip=${skip}&sort=${sort}&${filter}`;
            const { body } = await admin.get<{ hasMore: boolean; data: Coupon[] }>(path);
            expect([skip, body.data.map(({ value }) => value)]).toEqual([skip, sorted.slice(skip, skip + 5)]);
            expect([skip, body.hasMore]).toEqual([skip, skip + 5 < all.length]);
          }
        }
      });
    });

    it('neither repeats nor skips while coupons are added', async () => {
      await importRows(`value\n${Array.from({ length: 20 }, (_, number) => `OLD-${number}`).join('\n')}\n`);
      const seen: string[] = [];
      for (let skip = 0; skip < 40; skip += 5) {
        const { body } = await admin.get<{ data: Coupon[] }>(`${place.path}/coupons/no_total?pageSize=5&skip=${skip}`);
        seen.push(...body.data.map(({ value }) => value));
        await importRows(`value\nNEW-${skip}\nNEW-${skip + 1}\n`);
      }
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen).toEqual((await values()).slice(0, seen.length));
    });

    it('neither repeats nor skips beside an import that is being written', async () => {
      const count = size('scale', 10_000, 30_000);
      const csv = `value\n${Array.from({ length: count }, (_, number) => `LATE-${number}`).join('\n')}\n`;
      let written = false;
      const importing = importCoupons(admin, place, csv).then(({ status }) => {
        written = true;
        expect(status).toBe(200);
      });
      const seen: string[] = [];
      for (let more = true; more || !written;) {
        if (!written) {
          expect((await generate({ numberOfCoupons: 10 }, '?silent=yes')).status).toBe(204);
        }
        const path = `${place.path}/coupons/no_total?valuesOnly=true&pageSize=1000&skip=${seen.length}`;
        const { body } = await admin.get<{ hasMore: boolean; data: Coupon[] }>(path);
        seen.push(...body.data.map(({ value }) => value));
        more = body.hasMore;
      }
      await importing;
      expect(seen.length).toBeGreaterThanOrEqual(count);
      expect(seen).toEqual((await values('valuesOnly=true')).slice(0, seen.length));
    }, 60_000);

    it('newest first neither repeats nor skips while coupons are added, if it begins where they begin', async () => {
      await importRows(`value\n${Array.from({ length: 20 }, (_, number) => `OLD-${number}`).join('\n')}\n`);
      latchkey.clock.advance(1);
      const query = `pageSize=5&sort=-id&createdBefore=${encode(new Date(latchkey.clock.now()).toISOString())}`;
      const seen: string[] = [];
      for (let skip = 0; skip < 25; skip += 5) {
        const { body } = await admin.get<{ data: Coupon[] }>(`${place.path}/coupons/no_total?skip=${skip}&${query}`);
        seen.push(...body.data.map(({ value }) => value));
        await importRows(`value\nNEW-${skip}\nNEW-${skip + 1}\n`);
      }
      expect(seen).toEqual(Array.from({ length: 20 }, (_, number) => `OLD-${19 - number}`));
    });

    it('may have nothing but the codes', async () => {
      await importRows('value\nAAA\nBBB\n');
      const { body } = await admin.get(`${place.path}/coupons/no_total?valuesOnly=true&pageSize=1`);
      expect(body).toEqual({ hasMore: true, data: [{ value: 'AAA' }] });
    });

    it('refuses what is not a filter, or not so', async () => {
      for (const query of [
        'colour=red',
        'pageSize=0',
        'pageSize=1001',
        'skip=-1',
        'sort=created',
        'valid=true',
        'usable=1',
        'exactMatch=yes',
        'exactMatch=true',
        'createdBefore=2026-11-23',
        'value=',
        'referralId=0',
        'value=A&value=B',
      ]) {
        const { status, body } = await admin.get<ProblemBody>(`${place.path}/coupons/no_total?${query}`);
        expect([query, status, body.code]).toEqual([query, 400, 'validation-failed']);
      }
    });

    it('deletes nothing for a program that has lost the code which it means', async () => {
      const own = await createPlace(admin);
      await importCoupons(admin, own, 'value\nABC\n');
      expect((await admin.delete(`${own.path}/coupons?exactMatch=true`)).status).toBe(400);
      expect(await listCoupons(admin, own)).toHaveLength(1);
    });

    it('is not found under a campaign that is not there, or in another Application', async () => {
      const other = await createPlace(admin);
      for (const path of [
        `/v1/applications/${other.applicationId}/campaigns/${place.campaignId}`,
        `/v1/applications/${place.applicationId}/campaigns/2147483647`,
      ]) {
        expect((await admin.get<ProblemBody>(`${path}/coupons/no_total`)).body.code).toBe('campaign-not-found');
      }
    });
  });

  describe('a filter', () => {
    it('by code takes parts of codes, or whole codes, and compares exactly', async () => {
      const codes = ['abc', 'ABC', 'abcd', 'xabc', 'a_c', 'a%c', 'a!c', "a'c", 'a\\c', 'Äbc', 'äbc'];
      await importRows(`value\n${codes.join('\n')}\n`);
      expect(await values('value=abc')).toEqual(['abc', 'abcd', 'xabc']);
      expect(await values('value=abc&exactMatch=true')).toEqual(['abc']);
      expect(await values('value=abc&exactMatch=false')).toEqual(['abc', 'abcd', 'xabc']);
      expect(await values('value=ABC')).toEqual(['ABC']);
      for (const code of codes.slice(4)) {
        expect(await values(`value=${encode(code)}`)).toEqual([code]);
        expect(await values(`value=${encode(code)}&exactMatch=true`)).toEqual([code]);
      }
      expect(await values('value=abcde')).toEqual([]);
      expect(await values('value=abcde&exactMatch=true')).toEqual([]);
    });

    it('by a whole code finds it in its own campaign alone', async () => {
      const sibling = await createCampaign(admin, place.applicationId);
      await importCoupons(admin, sibling, 'value\nELSEWHERE\n');
      expect(await values('value=ELSEWHERE&exactMatch=true')).toEqual([]);
    });

    it('by when a coupon was made, begins or expires takes neither the very moment nor coupons without one', async () => {
      await importRows('value,startdate,expirydate\nSET,2027-01-01T00:00:00Z,2027-02-01T00:00:00Z\nNOT,,\n');
      const moments = { created: NOW, starts: '2027-01-01T00:00:00.000Z', expires: '2027-02-01T00:00:00.000Z' };
      for (const [name, moment] of Object.entries(moments)) {
        const all = name === 'created' ? ['SET', 'NOT'] : ['SET'];
        const just = (milliseconds: number): string => new Date(Date.parse(moment) + milliseconds).toISOString();
        expect(await values(`${name}Before=${just(1)}`)).toEqual(all);
        expect(await values(`${name}Before=${moment}`)).toEqual([]);
        expect(await values(`${name}After=${moment}`)).toEqual([]);
        expect(await values(`${name}After=${just(-1)}`)).toEqual(all);
        expect(await values(`${name}After=${just(-1)}&${name}Before=${just(1)}`)).toEqual(all);
      }
      expect(await values('startsAfter=2026-12-31T23:59:59%2B00:00')).toEqual(['SET']);
      expect(await values('startsAfter=2027-01-01T00:59:59%2B01:00')).toEqual(['SET']);
      expect(await values('startsAfter=2027-01-01T01:00:00%2B01:00')).toEqual([]);
    });

    it('by validity takes each coupon once, at every moment', async () => {
      await importRows(
        'value,startdate,expirydate\n' +
          'FOR EVER,,\n' +
          `FROM NOW,${NOW},\n` +
          'UNTIL NOW,,2026-11-23T12:00:00Z\n' +
          'FROM THEN,2026-11-23T12:00:00.001Z,\n' +
          'UNTIL THEN,,2026-11-23T12:00:00.001Z\n',
      );
      const expectAll = async (expected: Record<string, string[]>): Promise<void> => {
        for (const [valid, codes] of Object.entries(expected)) {
          expect(await values(`valid=${valid}`)).toEqual(codes);
        }
      };
      await expectAll({
        expired: ['UNTIL NOW'],
        validNow: ['FOR EVER', 'FROM NOW', 'UNTIL THEN'],
        validFuture: ['FROM THEN'],
      });
      latchkey.clock.advance(1);
      await expectAll({
        expired: ['UNTIL NOW', 'UNTIL THEN'],
        validNow: ['FOR EVER', 'FROM NOW', 'FROM THEN'],
        validFuture: [],
      });
    });

    it('by use finds what can be redeemed, and what was', async () => {
      await importRows('value,limitval\nONCE,1\nTWICE,2\nALWAYS,0\nNEVER,1\n');
      await latchkey.get(TransactionRunner).inTransaction(async (tx) => {
        const redeem = "UPDATE coupons SET usage_counter = 1 WHERE campaign_id = ? AND value <> 'NEVER'";
        await tx.query(redeem, [place.campaignId]);
      });
      expect(await values('usable=true')).toEqual(['TWICE', 'ALWAYS', 'NEVER']);
      expect(await values('usable=false')).toEqual(['ONCE']);
      expect(await values('redeemed=true')).toEqual(['ONCE', 'TWICE', 'ALWAYS']);
      expect(await values('redeemed=false')).toEqual(['NEVER']);
      expect(await values('redeemed=true&usable=true&value=TW')).toEqual(['TWICE']);
    });

    it('by batch or recipient compares exactly, and combines with others', async () => {
      await importRows('value,recipientintegrationid\nAAA,customer-1\nBBB,Customer-1\nCCC,\n');
      const { body } = await generate({ couponPattern: 'DDD', recipientIntegrationId: 'customer-1' });
      const [first] = await listCoupons(admin, place);
      expect(await values(`batchId=${first!.batchId}`)).toEqual(['AAA', 'BBB', 'CCC']);
      expect(await values(`batchId=${body.data[0]!.batchId}`)).toEqual(['DDD']);
      expect(await values('batchId=nothing')).toEqual([]);
      expect(await values('recipientIntegrationId=customer-1')).toEqual(['AAA', 'DDD']);
      expect(await values('recipientIntegrationId=customer-1%20')).toEqual([]);
      expect(await values(`recipientIntegrationId=customer-1&batchId=${first!.batchId}`)).toEqual(['AAA']);
      expect(await values('recipientIntegrationId=customer-1&value=D')).toEqual(['DDD']);
      expect(await values(`value=AAA&exactMatch=true&recipientIntegrationId=Customer-1`)).toEqual([]);
      expect(await values(`value=AAA&exactMatch=true&batchId=${first!.batchId}&usable=true`)).toEqual(['AAA']);
    });

    it('by referral finds nothing, because there are none', async () => {
      await importRows('value\nAAA\n');
      expect(await values('referralId=1')).toEqual([]);
    });

    const just = (milliseconds: number): string => encode(new Date(Date.parse(NOW) + milliseconds).toISOString());
    it.each([
      'value=A',
      'value=BA&exactMatch=true',
      ...['created', 'starts', 'expires'].flatMap((name) => [
        `${name}Before=${just(0)}`,
        `${name}Before=${just(1)}`,
        `${name}After=${just(0)}`,
        `${name}After=${just(-1)}`,
      ]),
      'valid=expired',
      'valid=validNow',
      'valid=validFuture',
      'usable=true',
      'usable=false',
      'redeemed=true',
      'redeemed=false',
      'batchId=nothing',
      'recipientIntegrationId=customer-1',
      'recipientIntegrationId=customer-1&valid=expired&redeemed=false',
      'referralId=1',
    ])('%s lists, exports and deletes the same coupons', async (query) => {
      const times = ['', ...[-1, 0, 1].map((milliseconds) => new Date(Date.parse(NOW) + milliseconds).toISOString())];
      const rows = times.flatMap((start, first) =>
        times
          .filter((expiry) => start === '' || expiry === '' || start < expiry)
          .map((expiry, second) => `${'ABCD'[first]}${'ABCD'[second]}A,${start},${expiry},customer-${second}`),
      );
      await importRows(`value,startdate,expirydate,recipientintegrationid\n${rows.join('\n')}\nBAB,,,\n`);
      await latchkey.get(TransactionRunner).inTransaction(async (tx) => {
        const redeem = "UPDATE coupons SET usage_counter = 1 WHERE campaign_id = ? AND value LIKE '%BA'";
        await tx.query(redeem, [place.campaignId]);
      });
      const all = await values();
      const listed = await values(query);
      const path = `/v1/applications/${place.applicationId}/export_coupons?valuesOnly=true&${query}`;
      expect((await admin.get<string>(path)).body).toBe(['value', ...listed, ''].join('\n'));
      expect((await admin.delete(`${place.path}/coupons?${query}`)).status).toBe(204);
      expect(await values()).toEqual(all.filter((value) => !listed.includes(value)));
    });
  });
});
