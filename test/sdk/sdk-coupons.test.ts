import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import TalonOne from 'talon_one';
import { createApplication } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { type Authentication, expectTyped, fullSdk, KEY, type ManagementApi, SESSION, Warnings } from './sdk.js';

const CODES = `value,expirydate,startdate,recipientintegrationid,limitval,discountlimit,attributes
OLD-1,2026-11-01T00:00:00Z,2026-10-01T00:00:00Z,customer-1,1,,
NOW-1,2027-01-01T00:00:00Z,2026-11-01T00:00:00Z,customer-2,0,2.5,"{""channel"":""e-mail""}"
NEXT-1,2027-06-01T00:00:00+02:00,2027-02-01T00:00:00Z,,5,,
`;

describe.each<[string, Authentication]>([
  ['a key', KEY],
  ['a session', SESSION],
])('coupons, with the public SDK and %s,', (_name, authentication) => {
  let latchkey: Latchkey;
  let warnings: Warnings;
  let api: ManagementApi;
  let userId: number;
  let applicationId: number;
  let folder: string;
  let campaignId: number;
  let imported: InstanceType<typeof TalonOne.ModelImport>;
  let batchId: string;
  let between: Date;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    folder = mkdtempSync(join(tmpdir(), 'latchkey-sdk-'));
    userId = (await latchkey.admin.get<{ user: { id: number } }>('/v1/sessions/current')).body.user.id;
    applicationId = await createApplication(latchkey.admin);
    api = await fullSdk(latchkey, authentication);
    warnings = new Warnings();
    campaignId = await createCampaign('Codes');
    imported = await api.importCoupons(applicationId, campaignId, { upFile: CODES });
    latchkey.clock.advance(1000);
    between = new Date(latchkey.clock.now());
    latchkey.clock.advance(1000);
    const request = new TalonOne.NewCoupons(3, 2);
    Object.assign(request, { couponPattern: 'GEN-###', validCharacters: ['A', 'B'], uniquePrefix: '', limits: [] });
    Object.assign(request, { attributes: { a: [1] }, discountLimit: 9.99, isReservationMandatory: false });
    Object.assign(request, { startDate: new Date('2027-01-01'), expiryDate: new Date('2027-12-31') });
    const created = await api.createCoupons(applicationId, campaignId, request, { silent: 'no' });
    expectTyped(created, TalonOne.InlineResponse2007);
    expectTyped(created.data[1], TalonOne.Coupon);
    expect(created).toMatchObject({
      totalResultSize: 2,
      data: [{ usageLimit: 3, attributes: { a: [1] }, startDate: new Date('2027-01-01') }, {}],
    });
    batchId = created.data[0].batchId;
  });

  afterAll(async () => {
    warnings.stop();
    rmSync(folder, { recursive: true });
    await latchkey.close();
  });

  /** Creates a campaign. The SDK can only create campaigns from templates. */
  const createCampaign = async (name: string, application = applicationId): Promise<number> => {
    const answer = await latchkey.admin.post<{ id: number }>(`/v1/applications/${application}/campaigns`, { name });
    expect(answer.status).toBe(201);
    return answer.body.id;
  };

  const GENERATED = ['GEN-', 'GEN-'];
  const FILTERS: [string, () => Record<string, unknown>, string[]][] = [
    ['no filter', () => ({}), ['OLD-1', 'NOW-1', 'NEXT-1', ...GENERATED]],
    ['value', () => ({ value: 'N' }), ['NOW-1', 'NEXT-1', ...GENERATED]],
    ['exactMatch', () => ({ value: 'NOW-1', exactMatch: true }), ['NOW-1']],
    ['exactMatch of a part', () => ({ value: 'NOW', exactMatch: true }), []],
    ['no exactMatch', () => ({ value: 'NOW', exactMatch: false }), ['NOW-1']],
    ['createdBefore', () => ({ createdBefore: between }), ['OLD-1', 'NOW-1', 'NEXT-1']],
    ['createdAfter', () => ({ createdAfter: between }), GENERATED],
    ['valid expired', () => ({ valid: 'expired' }), ['OLD-1']],
    ['valid validNow', () => ({ valid: 'validNow' }), ['NOW-1']],
    ['valid validFuture', () => ({ valid: 'validFuture' }), ['NEXT-1', ...GENERATED]],
    ['usable', () => ({ usable: 'true', value: 'OW' }), ['NOW-1']],
    ['not usable', () => ({ usable: 'false' }), []],
    ['referralId', () => ({ referralId: 1 }), []],
    ['recipientIntegrationId', () => ({ recipientIntegrationId: 'customer-2' }), ['NOW-1']],
    ['batchId', () => ({ batchId }), GENERATED],
    ['sort', () => ({ sort: '-id' }), [...GENERATED, 'NEXT-1', 'NOW-1', 'OLD-1']],
  ];
  const generic = (value: string): string => value.replace(/^GEN-[AB]{3}$/, 'GEN-');

  test('are imported from text, bytes and a file', async () => {
    expectTyped(imported, TalonOne.ModelImport);
    expect(imported).toMatchObject({ accountId: 1, userId, entity: 'Coupon', amount: 3 });
    const into = await createCampaign('Files');
    const bytes = Buffer.from('value\nBYTES-1\n') as unknown as string;
    expect(await api.importCoupons(applicationId, into, { upFile: bytes })).toMatchObject({ amount: 1 });
    writeFileSync(join(folder, 'codes.csv'), '\uFEFFlimitval,value\r\n7,"FILE ""1"""\r\n');
    const file = createReadStream(join(folder, 'codes.csv')) as unknown as string;
    expect(await api.importCoupons(applicationId, into, { upFile: file })).toMatchObject({ amount: 1 });
    const { data } = await api.getCouponsWithoutTotalCount(applicationId, into);
    expect(data).toMatchObject([{ value: 'BYTES-1' }, { value: 'FILE "1"', usageLimit: 7 }]);
  });

  test.each(FILTERS)('are listed by %s', async (_parameter, options, values) => {
    const page = await api.getCouponsWithoutTotalCount(applicationId, campaignId, { pageSize: 1000, ...options() });
    expectTyped(page, TalonOne.InlineResponse2008);
    expect(page.data.map(({ value }: { value: string }) => generic(value))).toEqual(values);
    for (const coupon of page.data) {
      expectTyped(coupon, TalonOne.Coupon);
    }
  });

  test('are listed page by page', async () => {
    const options = { pageSize: 2, sort: 'id' };
    const first = await api.getCouponsWithoutTotalCount(applicationId, campaignId, { ...options, skip: 0 });
    expect(first).toMatchObject({ hasMore: true, data: [{ value: 'OLD-1' }, { value: 'NOW-1' }] });
    const last = await api.getCouponsWithoutTotalCount(applicationId, campaignId, { ...options, skip: 4 });
    expect([last.hasMore, last.data.length]).toEqual([false, 1]);
    expect(first.data[1]).toMatchObject({
      expiryDate: new Date('2027-01-01T00:00:00Z'),
      discountLimit: 2.5,
      attributes: { channel: 'e-mail' },
      recipientIntegrationId: 'customer-2',
      importId: imported.id,
    });
  });

  test.each(FILTERS)('are exported by %s', async (_parameter, options, values) => {
    const text = await api.exportCoupons(applicationId, {
      campaignId,
      campaignState: 'running',
      dateFormat: 'ISO8601',
      ...options(),
    });
    const [header, ...lines] = (text as string).trimEnd().split('\n');
    expect(header).toMatch(/^value,expirydate,startdate,recipientintegrationid,limitval,discountlimit,attributes,/);
    expect(lines.map((line) => generic(line.split(',')[0]!))).toEqual(values);
  });

  test('are exported only from campaigns in the given state', async () => {
    const text = (await api.exportCoupons(applicationId, { campaignState: 'disabled' })) as string;
    expect(text.trimEnd().split('\n')).toHaveLength(1);
    expect(await api.exportCoupons(applicationId)).toContain('BYTES-1');
  });

  test('are updated and deleted individually', async () => {
    const into = await createCampaign('Single');
    await api.importCoupons(applicationId, into, { upFile: 'value,limitval\nSINGLE-1,1\nSINGLE-2,1\n' });
    const [coupon, other] = (await api.getCouponsWithoutTotalCount(applicationId, into)).data;
    const update = TalonOne.UpdateCoupon.constructFromObject(coupon, undefined);
    Object.assign(update, { usageLimit: 9, expiryDate: new Date('2028-01-01'), attributes: { vip: true } });
    const changed = await api.updateCoupon(applicationId, into, coupon.id, update);
    expectTyped(changed, TalonOne.Coupon);
    const expected = { usageLimit: 9, expiryDate: new Date('2028-01-01'), attributes: { vip: true } };
    expect(changed).toEqual({ ...coupon, ...expected });
    expect(await api.deleteCoupon(applicationId, into, String(coupon.id))).toBeNull();
    expect((await api.getCouponsWithoutTotalCount(applicationId, into)).data).toEqual([other]);
  });

  test('are created with an empty response if silent is yes', async () => {
    const into = await createCampaign('Silent');
    const request = { usageLimit: 1, numberOfCoupons: 3 };
    expect(await api.createCoupons(applicationId, into, request, { silent: 'yes' })).toBeNull();
    expect((await api.getCouponsWithoutTotalCount(applicationId, into)).data).toHaveLength(3);
  });

  test.each<[string, () => Parameters<ManagementApi['deleteCoupons']>[2], string[]]>([
    ['value', () => ({ value: 'OLD' }), ['NOW-1', 'NEXT-1']],
    ['exactMatch', () => ({ value: 'NOW-1', exactMatch: true }), ['OLD-1', 'NEXT-1']],
    ['createdBefore', () => ({ createdBefore: new Date(0) }), ['OLD-1', 'NOW-1', 'NEXT-1']],
    ['createdAfter', () => ({ createdAfter: new Date(0) }), []],
    ['startsAfter', () => ({ startsAfter: new Date('2026-11-23') }), ['OLD-1', 'NOW-1']],
    ['startsBefore', () => ({ startsBefore: new Date('2026-10-15') }), ['NOW-1', 'NEXT-1']],
    ['expiresAfter', () => ({ expiresAfter: new Date('2027-01-01') }), ['OLD-1', 'NOW-1']],
    ['expiresBefore', () => ({ expiresBefore: new Date('2027-01-01') }), ['NOW-1', 'NEXT-1']],
    ['valid', () => ({ valid: 'validNow' }), ['OLD-1', 'NEXT-1']],
    ['batchId', () => ({ batchId: 'none' }), ['OLD-1', 'NOW-1', 'NEXT-1']],
    ['usable', () => ({ usable: 'true' }), []],
    ['referralId', () => ({ referralId: 1 }), ['OLD-1', 'NOW-1', 'NEXT-1']],
    ['recipientIntegrationId', () => ({ recipientIntegrationId: 'customer-1' }), ['NOW-1', 'NEXT-1']],
    ['no filter', () => undefined, []],
  ])('are deleted by %s', async (_parameter, options, left) => {
    const application = await createApplication(latchkey.admin);
    const into = await createCampaign('Deletion', application);
    await api.importCoupons(application, into, { upFile: CODES });
    expect(await api.deleteCoupons(application, into, options())).toBeNull();
    const { data } = await api.getCouponsWithoutTotalCount(application, into);
    expect(data.map(({ value }: { value: string }) => value)).toEqual(left);
  });

  test('cause no warning', () => {
    warnings.stop();
    expect(warnings.seen).toEqual([]);
  });
});
