/**
 * A program that only uses `/openapi.json`, from which `schema.ts` beside it is generated. The test compiles it, runs
 * it against the service, and reads its output. It contains no `as` and no `any`.
 */
import createClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './schema.js';

type Problem = components['schemas']['Problem'];

const baseUrl = process.argv[2]!;
const email = process.argv[3]!;
const password = process.argv[4]!;

const as = (authorization?: string): Client<paths> =>
  createClient<paths>({ baseUrl, headers: authorization === undefined ? {} : { authorization } });

/** Returns the body of a successful response. Throws for a refusal. */
function dataOf<Data>(answer: { data?: Data; error?: Problem; response: Response }): NonNullable<Data> {
  if (answer.data === undefined || answer.data === null) {
    throw new Error(`${answer.response.status}: ${answer.error?.detail}`);
  }
  return answer.data;
}

/** Returns the status and reason of a refusal. Throws for a successful response. */
function refusalOf(answer: { error?: Problem; response: Response }): string {
  if (answer.error === undefined) {
    throw new Error(`not refused: ${answer.response.status}`);
  }
  return `${answer.response.status} ${answer.error.code}`;
}

const session = dataOf(await as().POST('/v1/sessions', { body: { email, password } }));
const admin = as(`Bearer ${session.token}`);

const application = async (name: string): Promise<number> =>
  dataOf(await admin.POST('/v1/applications', { body: { name, timezone: 'Europe/Berlin', currency: 'EUR' } })).id;
const shop = await application('Web shop');
const kiosk = await application('Kiosk');

const campaign = dataOf(
  await admin.POST('/v1/applications/{applicationId}/campaigns', {
    params: { path: { applicationId: shop } },
    body: { name: 'Summer sale', tags: ['summer'], features: ['coupons'], endTime: null },
  }),
);
const place = { applicationId: shop, campaignId: campaign.id };

const choices = dataOf(
  await admin.GET('/v1/endpoints', { params: { query: { scope: 'application', q: 'import_coupons' } } }),
).data.map(({ service, method, path }) => ({ service, method, path }));

const minted = dataOf(
  await admin.POST('/v1/api_keys', {
    body: {
      name: 'Coupon importer',
      expiryDate: '2099-12-31',
      allowedApplicationIds: [shop],
      endpoints: choices,
    },
  }),
);
const importer = as(`ManagementKey-v1 ${minted.key}`);

/** Imports a file of codes, as the form that the document requires. */
const importCodes = (path: typeof place, codes: string) =>
  importer.POST('/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons', {
    params: { path, query: { skipDuplicates: 'true' } },
    body: { upFile: new Blob([codes]) },
    bodySerializer: ({ upFile }) => {
      const form = new FormData();
      form.append('upFile', upFile, 'codes.csv');
      return form;
    },
  });

const imported = dataOf(await importCodes(place, 'value\nSUMMER-1\nSUMMER-2\nSUMMER-2\n'));
const elsewhere = refusalOf(await importCodes({ ...place, applicationId: kiosk }, 'value\nSUMMER-3\n'));
const notGranted = refusalOf(
  await importer.GET('/v1/applications/{applicationId}/campaigns', { params: { path: { applicationId: shop } } }),
);
const coupons = dataOf(
  await admin.GET('/v1/applications/{applicationId}/campaigns/{campaignId}/coupons/no_total', {
    params: { path: place, query: { value: 'SUMMER', pageSize: 10 } },
  }),
);
const file = dataOf(
  await admin.GET('/v1/applications/{applicationId}/export_coupons', {
    params: { path: { applicationId: shop }, query: { campaignId: campaign.id } },
    parseAs: 'text',
  }),
);
const coupon = coupons.data.find((one) => 'id' in one);
if (coupon === undefined || !('id' in coupon)) {
  throw new Error('only codes are listed');
}
const couponPath = { path: { ...place, couponId: coupon.id } };
const updatedCoupon = dataOf(
  await admin.PUT('/v1/applications/{applicationId}/campaigns/{campaignId}/coupons/{couponId}', {
    params: couponPath,
    body: { usageLimit: 5, expiryDate: null, attributes: { channel: 'newsletter' } },
  }),
);
const generated = dataOf(
  await admin.POST('/v1/applications/{applicationId}/campaigns/{campaignId}/coupons', {
    params: { path: place },
    body: { usageLimit: 1, numberOfCoupons: 3, couponPattern: 'WINTER-###', validCharacters: ['1', '2', '3'] },
  }),
);
const silent = await admin.POST('/v1/applications/{applicationId}/campaigns/{campaignId}/coupons', {
  params: { path: place, query: { silent: 'yes' } },
  body: { usageLimit: 0, numberOfCoupons: 1 },
});
const deletions = [
  await admin.DELETE('/v1/applications/{applicationId}/campaigns/{campaignId}/coupons/{couponId}', {
    params: couponPath,
  }),
  await admin.DELETE('/v1/applications/{applicationId}/campaigns/{campaignId}/coupons', {
    params: { path: place, query: { value: 'WINTER-', valid: 'validNow', usable: 'true' } },
  }),
].map(({ response }) => response.status);
const left = dataOf(
  await admin.GET('/v1/applications/{applicationId}/campaigns/{campaignId}/coupons/no_total', {
    params: { path: place, query: { sort: '-id', valuesOnly: 'true' } },
  }),
).data.length;
const updatedCampaign = dataOf(
  await admin.PUT('/v1/applications/{applicationId}/campaigns/{campaignId}', {
    params: { path: place },
    body: { name: 'Autumn sale', state: 'disabled', tags: [] },
  }),
);
const running = dataOf(
  await admin.GET('/v1/applications/{applicationId}/campaigns', {
    params: { path: { applicationId: shop }, query: { campaignState: 'running', name: 'autumn' } },
  }),
).totalResultSize;
const malformed = await importCodes(place, 'value,limitval\nSUMMER-4,many\n');

const campaignDeleted = await admin.DELETE('/v1/applications/{applicationId}/campaigns/{campaignId}', {
  params: { path: place },
});
const campaignGone = refusalOf(
  await admin.GET('/v1/applications/{applicationId}/campaigns/{campaignId}', { params: { path: place } }),
);

const apiKeyId = minted.id;
await admin.DELETE('/v1/api_keys/{apiKeyId}', { params: { path: { apiKeyId } } });
const deleted = refusalOf(await importCodes(place, 'value\nSUMMER-5\n'));

const user = dataOf(
  await admin.POST('/v1/users', {
    body: { name: 'Ada', email: 'ada@example.com', password: 'the password of Ada', isAdmin: false },
  }),
);
const renamed = dataOf(
  await admin.PUT('/v1/users/{userId}', { params: { path: { userId: user.id } }, body: { name: 'Ada Lovelace' } }),
);
const stateOf = async (): Promise<string> => {
  const answer = await admin.GET('/v1/users/{userId}', { params: { path: { userId: user.id } } });
  return answer.error === undefined ? dataOf(answer).state : refusalOf(answer);
};
const states: string[] = [await stateOf()];
const byEmail = { body: { email: user.email } };
const offboarding = as(
  `ManagementKey-v1 ${
    dataOf(
      await admin.POST('/v1/api_keys', {
        body: {
          name: 'Off-boarding',
          expiryDate: '2099-12-31T00:00:00Z',
          endpoints: [
            { method: 'POST', path: '/v1/users/activate' },
            { method: 'POST', path: '/v1/users/deactivate' },
            { method: 'POST', path: '/v1/users/delete' },
          ],
        },
      }),
    ).key
  }`,
);
const protectedUser = refusalOf(await offboarding.POST('/v1/users/deactivate', { body: { email } }));
const keysAffected = [await admin.POST('/v1/users/deactivate', byEmail)].map(({ response }) =>
  response.headers.get('x-keys-affected'),
);
states.push(await stateOf());
await admin.POST('/v1/users/activate', byEmail);
states.push(await stateOf());
await offboarding.POST('/v1/users/deactivate', byEmail);
states.push(await stateOf());
await offboarding.POST('/v1/users/activate', byEmail);
states.push(await stateOf());
await offboarding.POST('/v1/users/delete', byEmail);
states.push(await stateOf());

const other = dataOf(
  await admin.POST('/v1/users', {
    body: { name: 'Grace', email: 'grace@example.com', password: 'tulip ladder cement', isAdmin: true },
  }),
);
const userDeleted = await admin.DELETE('/v1/users/{userId}', { params: { path: { userId: other.id } } });

const trail = dataOf(
  await admin.GET('/v1/changes', { params: { query: { sort: '-created', pageSize: 1, includeOld: false } } }),
);
const { response: signedOut } = await admin.DELETE('/v1/sessions', { params: { query: { all: true } } });

console.log(
  JSON.stringify({
    shop,
    campaign: [campaign.name, campaign.frontendState, campaign.endTime],
    choices,
    key: [minted.state, minted.expiryDate, minted.allApplications, minted.allowedApplicationIds],
    imported: imported.amount,
    coupons: coupons.data.map((coupon) => [coupon.value, 'importId' in coupon && coupon.importId === imported.id]),
    updatedCoupon: [updatedCoupon.usageLimit, updatedCoupon.expiryDate, updatedCoupon.attributes],
    generated: [generated?.totalResultSize, silent.response.status],
    deletions,
    left,
    updatedCampaign: [updatedCampaign.name, updatedCampaign.frontendState, updatedCampaign.tags, running],
    campaignDeleted: [campaignDeleted.response.status, campaignGone],
    userDeleted: userDeleted.response.status,
    file: file.split('\n', 2).map((line) => line.split(',')[0]),
    refusals: { elsewhere, notGranted, deleted, protectedUser, malformed: refusalOf(malformed) },
    lines: malformed.error?.errors?.map(({ line }) => line),
    renamed: [renamed.name, renamed.keysAffected],
    states,
    keysAffected,
    trail: trail.data.map(({ entity, managementKeyId }) => [entity, managementKeyId !== undefined]),
    signedOut: signedOut.status,
  }),
);
