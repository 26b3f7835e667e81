import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createApplication, createKey } from '../support/fixtures.js';
import { ADMIN_EMAIL, type Latchkey, startLatchkey } from '../support/harness.js';
import { fullSdk, KEY, type ManagementApi, problemOf, sdk, SESSION, Warnings } from './sdk.js';

/** The parameters of an operation. */
interface Ids {
  applicationId: number;
  campaignId: number;
  couponId: number;
  userId: number;
}

const UNKNOWN_ID = 2_000_000_000;
const CAMPAIGN = { name: 'Campaign', tags: [], features: [], limits: [] };

/**
 * All operations except the two of sessions: how to call each one, what it refuses with 404 for ids that do not exist,
 * and how to call it wrongly, if possible.
 */
const OPERATIONS: Record<
  string,
  {
    call: (api: ManagementApi, ids: Ids) => Promise<unknown>;
    scope?: 'application';
    missing?: [Partial<Ids>, string][];
    wrong?: [(api: ManagementApi, ids: Ids) => Promise<unknown>, object];
  }
> = {
  getUsers: {
    call: (api) => api.getUsers(),
    wrong: [(api) => api.getUsers({ pageSize: 0 }), { errors: [{ parameter: 'pageSize' }] }],
  },
  getUser: {
    call: (api, { userId }) => api.getUser(userId),
    missing: [[{ userId: UNKNOWN_ID }, 'user-not-found']],
    wrong: [(api) => api.getUser(0), { code: 'id-malformed' }],
  },
  getApplications: {
    call: (api) => api.getApplications(),
    wrong: [(api) => api.getApplications({ sort: 'color' }), { errors: [{ parameter: 'sort' }] }],
  },
  getApplication: {
    scope: 'application',
    call: (api, { applicationId }) => api.getApplication(applicationId),
    missing: [[{ applicationId: UNKNOWN_ID }, 'application-not-found']],
    wrong: [(api) => api.getApplication(UNKNOWN_ID * 2), { code: 'id-malformed' }],
  },
  getCampaigns: {
    scope: 'application',
    call: (api, { applicationId }) => api.getCampaigns(applicationId),
    missing: [[{ applicationId: UNKNOWN_ID }, 'application-not-found']],
    wrong: [
      (api, { applicationId }) => api.getCampaigns(applicationId, { campaignState: 'finished', skip: -1 }),
      { errors: [{ parameter: 'campaignState' }, { parameter: 'skip' }] },
    ],
  },
  getCampaign: {
    scope: 'application',
    call: (api, { applicationId, campaignId }) => api.getCampaign(applicationId, campaignId),
    missing: [
      [{ applicationId: UNKNOWN_ID }, 'campaign-not-found'],
      [{ campaignId: UNKNOWN_ID }, 'campaign-not-found'],
    ],
  },
  updateCampaign: {
    scope: 'application',
    call: (api, { applicationId, campaignId }) => api.updateCampaign(applicationId, campaignId, CAMPAIGN),
    missing: [[{ campaignId: UNKNOWN_ID }, 'campaign-not-found']],
    wrong: [
      (api, { applicationId, campaignId }) =>
        api.updateCampaign(applicationId, campaignId, {
          ...CAMPAIGN,
          name: '',
          couponSettings: { couponPattern: '#' },
        }),
      { errors: [{ pointer: '/name' }, { pointer: '/couponSettings' }] },
    ],
  },
  importCoupons: {
    scope: 'application',
    call: (api, { applicationId, campaignId }) =>
      api.importCoupons(applicationId, campaignId, { upFile: 'value\nREFUSED-1\n' }),
    missing: [[{ campaignId: UNKNOWN_ID }, 'campaign-not-found']],
    wrong: [
      (api, { applicationId, campaignId }) =>
        api.importCoupons(applicationId, campaignId, { upFile: 'value,limitval\nGOOD-1,1\nA,x\n' }),
      { code: 'import-invalid', errors: [{ line: 3 }, { line: 3 }] },
    ],
  },
  createCoupons: {
    scope: 'application',
    call: (api, { applicationId, campaignId }) =>
      api.createCoupons(applicationId, campaignId, { usageLimit: 1, numberOfCoupons: 1 }),
    missing: [[{ campaignId: UNKNOWN_ID }, 'campaign-not-found']],
    wrong: [
      (api, { applicationId, campaignId }) =>
        api.createCoupons(applicationId, campaignId, { usageLimit: 1, numberOfCoupons: 11, couponPattern: 'AB-' }),
      { code: 'pattern-too-narrow' },
    ],
  },
  getCouponsWithoutTotalCount: {
    scope: 'application',
    call: (api, { applicationId, campaignId }) => api.getCouponsWithoutTotalCount(applicationId, campaignId),
    missing: [[{ campaignId: UNKNOWN_ID }, 'campaign-not-found']],
    wrong: [
      (api, { applicationId, campaignId }) =>
        api.getCouponsWithoutTotalCount(applicationId, campaignId, { valid: 'sometimes', pageSize: 1001 }),
      { errors: expect.arrayContaining([expect.objectContaining({ parameter: 'valid' })]) },
    ],
  },
  updateCoupon: {
    scope: 'application',
    call: (api, { applicationId, campaignId, couponId }) =>
      api.updateCoupon(applicationId, campaignId, `${couponId}`, {}),
    missing: [
      [{ campaignId: UNKNOWN_ID }, 'campaign-not-found'],
      [{ couponId: UNKNOWN_ID }, 'coupon-not-found'],
    ],
    wrong: [
      (api, { applicationId, campaignId, couponId }) =>
        api.updateCoupon(applicationId, campaignId, `${couponId}`, { usageLimit: -1 }),
      { errors: [{ pointer: '/usageLimit' }] },
    ],
  },
  exportCoupons: {
    scope: 'application',
    call: (api, { applicationId }) => api.exportCoupons(applicationId),
    missing: [[{ applicationId: UNKNOWN_ID }, 'application-not-found']],
    wrong: [
      (api, { applicationId }) => api.exportCoupons(applicationId, { dateFormat: 'excel' }),
      { errors: [{ parameter: 'dateFormat' }] },
    ],
  },
  getChanges: {
    call: (api) => api.getChanges(),
    wrong: [(api) => api.getChanges({ userId: 0 }), { errors: [{ parameter: 'userId' }] }],
  },
  deleteCoupon: {
    scope: 'application',
    call: (api, { applicationId, campaignId, couponId }) => api.deleteCoupon(applicationId, campaignId, `${couponId}`),
    missing: [[{ couponId: UNKNOWN_ID }, 'coupon-not-found']],
    wrong: [
      (api, { applicationId, campaignId }) => api.deleteCoupon(applicationId, campaignId, 'CODE-1'),
      { code: 'id-malformed' },
    ],
  },
  deleteCoupons: {
    scope: 'application',
    call: (api, { applicationId, campaignId }) => api.deleteCoupons(applicationId, campaignId),
    missing: [[{ campaignId: UNKNOWN_ID }, 'campaign-not-found']],
    wrong: [
      (api, { applicationId, campaignId }) => api.deleteCoupons(applicationId, campaignId, { usable: 'perhaps' }),
      { errors: [{ parameter: 'usable' }] },
    ],
  },
  deleteCampaign: {
    scope: 'application',
    call: (api, { applicationId, campaignId }) => api.deleteCampaign(applicationId, campaignId),
    missing: [[{ campaignId: UNKNOWN_ID }, 'campaign-not-found']],
  },
};

describe('the public SDK passes on the problem', () => {
  let latchkey: Latchkey;
  let warnings: Warnings;
  let withKey: ManagementApi;
  let withSession: ManagementApi;
  let ids: Ids;
  let deleted: string;
  let narrow: string;
  let expired: string;
  let elsewhere: ManagementApi;
  let nonAdmin: ManagementApi;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    const { admin } = latchkey;
    const applicationId = await createApplication(admin);
    const { body: campaign } = await admin.post<{ id: number }>(
      `/v1/applications/${applicationId}/campaigns`,
      CAMPAIGN,
    );
    const { body: session } = await admin.get<{ user: { id: number } }>('/v1/sessions/current');
    withSession = await fullSdk(latchkey, SESSION);
    await withSession.importCoupons(applicationId, campaign.id, { upFile: 'value\nCODE-1\n' });
    const { data } = await withSession.getCouponsWithoutTotalCount(applicationId, campaign.id);
    ids = { applicationId, campaignId: campaign.id, couponId: data[0].id, userId: session.user.id };

    const gone = await createKey(admin);
    await admin.delete(`/v1/api_keys/${gone.id}`);
    deleted = gone.key;
    narrow = (await createKey(admin, { endpoints: [{ method: 'POST', path: '/v1/verifications' }] })).key;
    expired = (await createKey(admin, { expiryDate: '2026-11-23T12:00:01Z' })).key;
    const user = { name: 'Ada', email: 'ada@example.com', password: 'the password of Ada' };
    await admin.post('/v1/users', user);
    const token = (await latchkey.signIn(user.email, user.password)).authorization!.replace('Bearer ', '');
    nonAdmin = sdk(latchkey.url, SESSION, token);
    withKey = await fullSdk(latchkey, KEY);
    elsewhere = await fullSdk(latchkey, KEY, [await createApplication(admin)]);
    latchkey.clock.advance(1000);
    warnings = new Warnings();
  });
  afterAll(async () => {
    warnings.stop();
    await latchkey.close();
  });

  describe.each(Object.entries(OPERATIONS))('of %s', (name, { call, scope, missing, wrong }) => {
    test('401: for a missing, a malformed and a deleted key, and for an expired one', async () => {
      for (const [credential, problem] of [
        ['', { code: 'credential-missing' }],
        [deleted.toUpperCase(), { code: 'malformed' }],
        [deleted, { code: 'unknown' }],
        [expired, { code: 'expired', expiryDate: '2026-11-23T12:00:01.000Z' }],
      ] as const) {
        expect(await problemOf(call(sdk(latchkey.url, KEY, credential), ids))).toMatchObject({
          status: 401,
          ...problem,
        });
      }
      expect(await problemOf(call(sdk(latchkey.url, SESSION, 'lks_'), ids))).toMatchObject({ status: 401 });
    });

    test('403: for a key without the grant', async () => {
      expect(await problemOf(call(sdk(latchkey.url, KEY, narrow), ids))).toMatchObject({
        status: 403,
        code: 'endpoint-not-allowed',
        endpoint: expect.stringContaining('/v1/'),
      });
    });

    if (scope === 'application') {
      test('403: for a key of another Application', async () => {
        expect(await problemOf(call(elsewhere, ids))).toMatchObject({
          status: 403,
          code: 'application-not-allowed',
          applicationId: ids.applicationId,
        });
      });
    }

    if (/User|Changes/.test(name)) {
      test('403: for a user who is no admin', async () => {
        expect(await problemOf(call(nonAdmin, ids))).toMatchObject({ status: 403, code: 'admin-required' });
      });
    }

    if (missing) {
      test('404: for ids that do not exist', async () => {
        for (const [id, code] of missing) {
          for (const api of [withKey, withSession]) {
            expect(await problemOf(call(api, { ...ids, ...id }))).toMatchObject({ status: 404, code });
          }
        }
      });
    }

    if (wrong) {
      test('400: for a wrong request', async () => {
        const [callWrongly, problem] = wrong;
        for (const api of [withKey, withSession]) {
          expect(await problemOf(callWrongly(api, ids))).toMatchObject({ status: 400, ...problem });
        }
      });
    }
  });

  test('of importCoupons, 409: for codes that exist, with their lines', async () => {
    for (const api of [withKey, withSession]) {
      const upFile = 'value\nNEW-1\nCODE-1\n';
      expect(await problemOf(api.importCoupons(ids.applicationId, ids.campaignId, { upFile }))).toMatchObject({
        status: 409,
        code: 'coupon-exists',
        errors: [{ line: 3 }],
      });
    }
  });

  test('of importCoupons, 403: for a large file that is refused before it is complete', async () => {
    const upFile = Buffer.alloc(20_000_000, 'value\n') as unknown as string;
    const call = sdk(latchkey.url, KEY, narrow).importCoupons(ids.applicationId, ids.campaignId, { upFile });
    expect(await problemOf(call)).toMatchObject({ status: 403, code: 'endpoint-not-allowed' });
  });

  test('of signing in and out', async () => {
    const wrongly = withKey.createSession({ email: ADMIN_EMAIL, password: 'wrong' });
    expect(await problemOf(wrongly)).toMatchObject({ status: 401, code: 'sign-in-failed' });
    const partly = withKey.createSession({ email: ADMIN_EMAIL });
    expect(await problemOf(partly)).toMatchObject({ status: 400, errors: expect.arrayContaining([expect.anything()]) });
    expect(await problemOf(withKey.destroySession())).toMatchObject({ status: 403, code: 'endpoint-not-allowed' });
    expect(await problemOf(sdk(latchkey.url, SESSION, 'x').destroySession())).toMatchObject({ status: 401 });
  });

  test('without a warning', () => {
    warnings.stop();
    expect(warnings.seen).toEqual([]);
  });
});
