import type { Answer, Client, ProblemBody } from '../support/client.js';
import { createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { sendRaw } from '../support/raw-http.js';
import { type Difference, document, grantableOf, putService } from './service-fixtures.js';
import { runSql } from '../support/sql.js';
import { readWithoutThread } from '../support/without-thread.js';

let latchkey: Latchkey;
let four: number;
let five: number;
beforeAll(async () => {
  latchkey = await startLatchkey();
  readWithoutThread(latchkey);
  four = await createApplication(latchkey.admin);
  five = await createApplication(latchkey.admin);
});
afterAll(() => latchkey.close());

const PATH = '/apps/{appId}/partners/{partnerId}';
const DOCUMENT = document({ [PATH]: { get: {} }, '/stays/{appId}': { get: {} } });
const OF_APPLICATION = { applicationParameter: 'appId' };
const OF_PARTNER = { applicationParameter: 'partnerId' };

const put = <Body = Difference>(
  service: string,
  more: Record<string, unknown>,
  query?: string,
  openapi: unknown = DOCUMENT,
  admin: Client = latchkey.admin,
): Promise<Answer<Body>> => putService<Body>(admin, service, openapi, more, query);

/**
 * Registers a service with the first parameter, and creates a key for its one endpoint that is limited to Application
 * 4.
 */
async function limitedKey(service: string): Promise<MadeKey> {
  await put(service, OF_APPLICATION);
  return createKey(latchkey.admin, {
    endpoints: [{ service, method: 'GET', path: PATH }],
    allowedApplicationIds: [four],
  });
}

/** Returns the decision of forward auth about a GET with a key: `allowed`, or the code of the refusal. */
async function outcome(service: string, key: MadeKey, path: string, url = latchkey.url): Promise<string> {
  const answer = await sendRaw(url, 'GET', `/v1/forward_auth/envoy/${service}${path}`, [
    ['Authorization', `ManagementKey-v1 ${key.key}`],
  ]);
  return answer.status === 200 ? 'allowed' : (JSON.parse(answer.body) as ProblemBody).code;
}

const ofFour = (service: string, key: MadeKey): Promise<string> => outcome(service, key, `/apps/${four}/partners/9`);
const ofFive = (service: string, key: MadeKey): Promise<string> =>
  outcome(service, key, `/apps/${five}/partners/${four}`);

async function shown(key: MadeKey): Promise<{ gone: boolean; changed: boolean }[]> {
  const { body } = await latchkey.admin.get<MadeKey>(`/v1/api_keys/${key.id}`);
  return body.endpoints.map(({ gone, changed }) => ({ gone, changed }));
}

const digestOf = async (service: string, more: Record<string, unknown>): Promise<string> =>
  (await put(service, more, '?dryRun=true')).body.changedGrants.digest!;

describe('a registration that changes what an endpoint of a key means', () => {
  test('never moves the key to another Application: the key is refused until an admin confirms the change', async () => {
    const service = 'moving';
    const key = await limitedKey(service);
    expect([await ofFour(service, key), await ofFive(service, key)]).toEqual(['allowed', 'application-not-allowed']);
    expect(await shown(key)).toEqual([{ gone: false, changed: false }]);

    const { body } = await put(service, OF_PARTNER);
    expect(body.changedGrants).toMatchObject({ confirmed: false, totalResultSize: 1 });
    expect([await ofFour(service, key), await ofFive(service, key)]).toEqual([
      'endpoint-not-allowed',
      'endpoint-not-allowed',
    ]);
    expect(await shown(key)).toEqual([{ gone: false, changed: true }]);
    expect((await latchkey.admin.get<MadeKey>(`/v1/api_keys/${key.id}`)).body.state).toBe('valid');

    const confirmChanges = await digestOf(service, OF_PARTNER);
    const confirmed = await put(service, { ...OF_PARTNER, confirmChanges });
    expect(confirmed).toMatchObject({ status: 200, body: { changedGrants: { confirmed: true, totalResultSize: 1 } } });
    expect([await ofFour(service, key), await ofFive(service, key)]).toEqual(['application-not-allowed', 'allowed']);
    expect(await shown(key)).toEqual([{ gone: false, changed: false }]);
    // The confirmed meaning is now the current one. Changing back to the old one is a change like any other.
    await put(service, OF_APPLICATION);
    expect(await ofFour(service, key)).toBe('endpoint-not-allowed');
  });

  test('is undone by a registration with the old meaning: the key is accepted again', async () => {
    const service = 'returning';
    const key = await limitedKey(service);
    await put(service, OF_PARTNER);
    expect(await ofFour(service, key)).toBe('endpoint-not-allowed');
    expect((await put(service, OF_APPLICATION)).body.changedGrants).toEqual({
      digest: null,
      confirmed: false,
      totalResultSize: 0,
      data: [],
      takenOver: [],
    });
    expect([await ofFour(service, key), await shown(key)]).toEqual(['allowed', [{ gone: false, changed: false }]]);
  });

  test('suspends a key for all Applications when the scope of its endpoint becomes the account', async () => {
    const service = 'scoping';
    await put(service, OF_APPLICATION);
    const key = await createKey(latchkey.admin, { endpoints: [{ service, method: 'GET', path: PATH }] });
    expect(await ofFour(service, key)).toBe('allowed');
    const { body } = await put(service, { applicationParameter: 'other' });
    expect(body.changedGrants.data).toEqual([
      {
        id: key.id,
        name: key.name,
        hint: key.hint,
        method: 'GET',
        path: PATH,
        differences: [
          { field: 'scope', from: 'application', to: 'account' },
          { field: 'applicationParameter', from: 'appId', to: '' },
        ],
      },
    ]);
    expect([await ofFour(service, key), await shown(key)]).toEqual([
      'endpoint-not-allowed',
      [{ gone: false, changed: true }],
    ]);
  });

  test('is still detected when a registration in between removes the endpoint', async () => {
    const service = 'detour';
    const key = await limitedKey(service);
    await put(service, OF_PARTNER, '', document({ '/other': { get: {} } }));
    expect(await shown(key)).toEqual([{ gone: true, changed: false }]);
    await put(service, OF_PARTNER);
    expect([await ofFive(service, key), await shown(key)]).toEqual([
      'endpoint-not-allowed',
      [{ gone: false, changed: true }],
    ]);
  });

  test('is explained in the refusal: an admin must confirm the change', async () => {
    const service = 'telling';
    const key = await limitedKey(service);
    await put(service, OF_PARTNER);
    const { body } = await latchkey.admin.post<ProblemBody>('/v1/verifications', {
      key: key.key,
      service,
      method: 'GET',
      path: `/apps/${five}/partners/${four}`,
    });
    expect(body.code).toBe('endpoint-not-allowed');
    expect(body.detail).toContain('an admin must confirm the change');
  });
});

describe('confirming changes', () => {
  test('with the digest of other changes is refused and changes nothing', async () => {
    const service = 'guarded';
    const key = await limitedKey(service);
    const digest = await digestOf(service, OF_PARTNER);
    // Another key is created between the dry run and the confirmation, so no admin has seen it.
    const later = await createKey(latchkey.admin, { endpoints: [{ service, method: 'GET', path: PATH }] });
    for (const confirmChanges of [digest, 'x', '']) {
      const answer = await put<ProblemBody>(service, { ...OF_PARTNER, confirmChanges });
      expect([answer.status, answer.body.code]).toEqual([409, 'changes-not-confirmed']);
      expect(answer.body.detail).toContain('dryRun=true');
    }
    expect([await ofFour(service, key), await ofFour(service, later)]).toEqual(['allowed', 'allowed']);
    const both = await digestOf(service, OF_PARTNER);
    expect((await put(service, { ...OF_PARTNER, confirmChanges: both })).body.changedGrants.totalResultSize).toBe(2);
    expect([await ofFive(service, key), await ofFive(service, later)]).toEqual(['allowed', 'allowed']);
  });

  test('in the registration itself keeps the key accepted throughout', async () => {
    const service = 'at-once';
    const key = await limitedKey(service);
    const confirmChanges = await digestOf(service, OF_PARTNER);
    expect((await put(service, { ...OF_PARTNER, confirmChanges })).status).toBe(200);
    expect(await ofFive(service, key)).toBe('allowed');
  });

  test('a second time succeeds and changes nothing', async () => {
    const service = 'repeated';
    const key = await limitedKey(service);
    const confirmChanges = await digestOf(service, OF_PARTNER);
    await put(service, { ...OF_PARTNER, confirmChanges });
    const again = await put(service, { ...OF_PARTNER, confirmChanges });
    expect(again).toMatchObject({ status: 200, body: { changedGrants: { totalResultSize: 0 } } });
    expect(await ofFive(service, key)).toBe('allowed');
  });

  test('in a dry run changes nothing', async () => {
    const service = 'dry';
    const key = await limitedKey(service);
    const confirmChanges = await digestOf(service, OF_PARTNER);
    await put(service, { ...OF_PARTNER, confirmChanges }, '?dryRun=true');
    expect([await ofFour(service, key), await shown(key)]).toEqual(['allowed', [{ gone: false, changed: false }]]);
  });

  test('writes each key and its change to the audit log', async () => {
    const service = 'audited';
    const key = await limitedKey(service);
    const confirmChanges = await digestOf(service, OF_PARTNER);
    await put(service, { ...OF_PARTNER, confirmChanges });
    const { body } = await latchkey.admin.get<{ data: { entity: string; new?: object }[] }>(
      '/v1/changes?pageSize=1000',
    );
    const entries = body.data
      .filter(({ entity }) => entity === `PUT /v1/services/${service}`)
      .map((entry) => entry.new);
    expect(entries).toContainEqual(
      expect.objectContaining({
        grantsSuspended: 0,
        grantsConfirmed: {
          count: 1,
          first: [{ apiKeyId: key.id, endpoint: `GET ${PATH}`, from: 'appId', to: 'partnerId' }],
        },
      }),
    );
  });

  test('of one service neither lists nor confirms changes of another service with the same paths', async () => {
    const mine = await limitedKey('mine');
    const other = await limitedKey('other');
    await put('other', OF_PARTNER);
    const confirmChanges = await digestOf('mine', OF_PARTNER);
    expect((await put('mine', { ...OF_PARTNER, confirmChanges })).body.changedGrants.totalResultSize).toBe(1);
    expect([await ofFive('mine', mine), await ofFive('other', other)]).toEqual(['allowed', 'endpoint-not-allowed']);
  });
});

describe('a service that was deleted and registered again', () => {
  test('is a new service: a key for the old one never opens it, even with the same document', async () => {
    const service = 'anew';
    const key = await limitedKey(service);
    await latchkey.admin.delete(`/v1/services/${service}`);
    const registered = await put(service, OF_APPLICATION);
    expect(registered.status).toBe(201);
    expect(registered.body.changedGrants.totalResultSize).toBe(0);
    expect([await ofFour(service, key), await shown(key)]).toEqual([
      'endpoint-not-allowed',
      [{ gone: true, changed: false }],
    ]);
    // The key does not belong to the new service either, when that is changed or removed.
    const changed = await put(service, OF_PARTNER);
    expect(changed.body.affectedKeys.totalResultSize).toBe(0);
    expect(changed.body.changedGrants.totalResultSize).toBe(0);
    const removed = await latchkey.admin.delete(`/v1/services/${service}`);
    expect(removed.headers.get('x-keys-affected')).toBe('0');
  });
});

describe('on every replica, immediately after the response,', () => {
  test('a changed meaning is refused and a confirmed one is accepted, ten times in a row', async () => {
    const service = 'replicated';
    const key = await limitedKey(service);
    const replicas = [await startLatchkey({}, { original: latchkey }), await startLatchkey({}, { original: latchkey })];
    try {
      const urls = [latchkey.url, ...replicas.map(({ url }) => url)];
      const everywhere = (path: string): Promise<string[]> =>
        Promise.all(urls.map((url) => outcome(service, key, path, url)));
      expect(await everywhere(`/apps/${four}/partners/9`)).toEqual(['allowed', 'allowed', 'allowed']);
      for (let round = 0; round < 10; round += 1) {
        const meaning = round % 2 === 0 ? OF_PARTNER : OF_APPLICATION;
        const path = round % 2 === 0 ? `/apps/${five}/partners/${four}` : `/apps/${four}/partners/9`;
        await put(service, meaning);
        expect(await everywhere(path)).toEqual(Array(3).fill('endpoint-not-allowed'));
        const confirmChanges = await digestOf(service, meaning);
        await put(service, { ...meaning, confirmChanges });
        expect(await everywhere(path)).toEqual(Array(3).fill('allowed'));
      }
    } finally {
      await Promise.all(replicas.map((replica) => replica.close()));
    }
  });
});

test('a grant of a foreign service that is gone never opens an endpoint of Latchkey with the same path', async () => {
  const service = 'impostor';
  await put(service, {}, '', document({ '/v1/users': { get: {} } }));
  const key = await createKey(latchkey.admin, { endpoints: [{ service, method: 'GET', path: '/v1/users' }] });
  await runSql(latchkey.database, `UPDATE api_key_endpoints SET service_id = 0 WHERE api_key_id = ${key.id}`);
  const { status } = await latchkey.as(`ManagementKey-v1 ${key.key}`).get('/v1/users');
  expect(status).toBe(403);
  expect((await grantableOf(latchkey.admin, service)).length).toBe(1);
});
