import type { ProblemBody } from '../support/client.js';
import { CAMPAIGNS, createAdmin, createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { startForKeys } from './key-fixtures.js';

const DAY_MS = 24 * 60 * 60 * 1000;

const { latchkey, applicationId, use, view } = await startForKeys();
afterAll(() => latchkey.close());

describe('a key', () => {
  describe('expires', () => {
    afterEach(() => latchkey.clock.set('2026-11-23T12:00:00.000Z'));

    test('to the millisecond', async () => {
      const key = await createKey(latchkey.admin, { expiryDate: '2026-12-01T10:00:00.500+01:00' });
      latchkey.clock.set('2026-12-01T09:00:00.499Z');
      expect((await use(key)).status).toBe(200);
      latchkey.clock.set('2026-12-01T09:00:00.500Z');
      const answer = await use(key);
      expect(answer.status).toBe(401);
      expect(answer.body).toMatchObject({ code: 'expired', expiryDate: '2026-12-01T09:00:00.500Z' });
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
    });

    test('at the end of the day in UTC if its expiry date has no time', async () => {
      const key = await createKey(latchkey.admin, { expiryDate: '2026-12-01' });
      expect(key.expiryDate).toBe('2026-12-01T23:59:59.999Z');
      latchkey.clock.set('2026-12-01T23:59:59.998Z');
      expect((await use(key)).status).toBe(200);
      latchkey.clock.set('2026-12-01T23:59:59.999Z');
      expect((await use(key)).status).toBe(401);
    });

    test('and shows its state: valid, expires-soon in the last 7 days, then expired', async () => {
      const key = await createKey(latchkey.admin, { expiryDate: '2026-12-31T00:00:00Z' });
      const expiry = Date.parse('2026-12-31T00:00:00Z');
      for (const [time, state, reason] of [
        [expiry - 7 * DAY_MS - 1, 'valid', null],
        [expiry - 7 * DAY_MS, 'expires-soon', null],
        [expiry - 1, 'expires-soon', null],
        [expiry, 'expired', 'expired'],
      ] as const) {
        latchkey.clock.set(time);
        expect(await view(key)).toMatchObject({ state, stateReason: reason, disabled: false });
        const list = await latchkey.admin.get<{ data: { id: number }[] }>(`/v1/api_keys?state=${state}&pageSize=1000`);
        expect(list.body.data.map(({ id }) => id)).toContain(key.id);
        for (const other of ['valid', 'expires-soon', 'expired', 'invalid'].filter((name) => name !== state)) {
          const without = await latchkey.admin.get<{ data: { id: number }[] }>(
            `/v1/api_keys?state=${other}&pageSize=1000`,
          );
          expect(without.body.data.map(({ id }) => id)).not.toContain(key.id);
        }
      }
    });
  });

  describe('depends on its creator', () => {
    test('and stops while they are deactivated, and for good once they are deleted', async () => {
      const creator = await createAdmin(latchkey);
      const key = await createKey(creator.client);
      expect((await use(key)).status).toBe(200);

      const deactivated = await latchkey.admin.put<{ keysAffected: number }>(`/v1/users/${creator.id}`, {
        state: 'deactivated',
      });
      expect(deactivated.body.keysAffected).toBe(1);
      expect(await use(key)).toMatchObject({ status: 401, body: { code: 'creator-deactivated' } });
      expect(await view(key)).toMatchObject({ state: 'invalid', stateReason: 'creator-deactivated', disabled: true });

      const reactivated = await latchkey.admin.put<{ keysAffected: number }>(`/v1/users/${creator.id}`, {
        state: 'active',
      });
      expect(reactivated.body.keysAffected).toBe(1);
      expect((await use(key)).status).toBe(200);

      expect((await latchkey.admin.delete(`/v1/users/${creator.id}`)).status).toBe(204);
      expect(await use(key)).toMatchObject({ status: 401, body: { code: 'creator-deleted' } });
      expect(await view(key)).toMatchObject({ state: 'invalid', stateReason: 'creator-deleted', disabled: true });
    });

    test('and is refused at endpoints for admins while the creator is no admin', async () => {
      const creator = await createAdmin(latchkey);
      const users = { method: 'GET', path: '/v1/users' };
      const key = await createKey(creator.client, { endpoints: [CAMPAIGNS, users] });
      const caller = latchkey.as(`ManagementKey-v1 ${key.key}`);
      const ownerNotAdmin = async (): Promise<unknown> => (await view(key)).endpoints.map((one) => one.ownerNotAdmin);
      expect((await caller.get(users.path)).status).toBe(200);
      expect(await ownerNotAdmin()).toEqual([false, false]);

      expect((await latchkey.admin.put(`/v1/users/${creator.id}`, { isAdmin: false })).status).toBe(200);
      expect((await use(key)).status).toBe(200);
      expect(await caller.get(users.path)).toMatchObject({
        status: 403,
        body: { code: 'owner-not-admin', endpoint: 'GET /v1/users' },
      });
      const question = { key: key.key, method: 'GET', path: users.path };
      expect((await latchkey.admin.post('/v1/verifications', question)).body).toMatchObject({
        valid: false,
        code: 'owner-not-admin',
      });
      const described = { authorization: `ManagementKey-v1 ${key.key}`, 'x-original-method': 'GET' };
      expect(
        await latchkey.anonymous.get('/v1/forward_auth/original/management', {
          ...described,
          'x-original-uri': users.path,
        }),
      ).toMatchObject({ status: 403, body: { code: 'owner-not-admin' } });
      expect(await ownerNotAdmin()).toEqual([false, true]);
      expect(await view(key)).toMatchObject({ state: 'valid', stateReason: null });

      expect((await latchkey.admin.put(`/v1/users/${creator.id}`, { isAdmin: true })).status).toBe(200);
      expect((await caller.get(users.path)).status).toBe(200);
    });
  });

  describe('that is limited to Applications', () => {
    test('is accepted for these only, and is refused in the same way whether or not another one exists', async () => {
      const other = await createApplication(latchkey.admin);
      const key = await createKey(latchkey.admin, { allowedApplicationIds: [applicationId] });
      expect((await use(key)).status).toBe(200);
      const existing = await use(key, other);
      const missing = await use(key, 2147483647);
      expect([existing.status, missing.status]).toEqual([403, 403]);
      expect(existing.body).toMatchObject({ code: 'application-not-allowed', applicationId: other });
      expect(missing.body.code).toBe(existing.body.code);
      expect(missing.body.title).toBe(existing.body.title);
    });

    test('is never widened by the deletion of an Application, and is refused everywhere once the last is deleted', async () => {
      const [first, second] = [await createApplication(latchkey.admin), await createApplication(latchkey.admin)];
      const key = await createKey(latchkey.admin, { allowedApplicationIds: [first, second] });
      expect((await latchkey.admin.delete(`/v1/applications/${first}`)).status).toBe(204);
      expect((await use(key, second)).status).toBe(200);
      expect((await use(key)).status).toBe(403);
      expect((await latchkey.admin.delete(`/v1/applications/${second}`)).status).toBe(204);
      expect(await use(key)).toMatchObject({ status: 401, body: { code: 'no-application-left' } });
      expect(await view(key)).toMatchObject({
        state: 'invalid',
        stateReason: 'no-application-left',
        allApplications: false,
        allowedApplicationIds: [],
      });
      const list = await latchkey.admin.get<{ data: { id: number }[] }>('/v1/api_keys?state=invalid&pageSize=1000');
      expect(list.body.data.map(({ id }) => id)).toContain(key.id);
    });

    test('is not counted in keysAffected of its creator once the last is deleted', async () => {
      const creator = await createAdmin(latchkey);
      const applicationId = await createApplication(latchkey.admin);
      await createKey(creator.client, { endpoints: [CAMPAIGNS], allowedApplicationIds: [applicationId] });
      const affected = async (state: string): Promise<unknown> =>
        (await latchkey.admin.put<{ keysAffected: number }>(`/v1/users/${creator.id}`, { state })).body.keysAffected;
      expect([await affected('deactivated'), await affected('active')]).toEqual([1, 1]);
      await latchkey.admin.delete(`/v1/applications/${applicationId}`);
      expect([await affected('deactivated'), await affected('active')]).toEqual([0, 0]);
    });
  });

  describe('that is deleted', () => {
    test('is refused immediately and for good, and cannot be deleted twice', async () => {
      const key = await createKey(latchkey.admin);
      expect((await latchkey.admin.delete(`/v1/api_keys/${key.id}`)).status).toBe(204);
      expect(await use(key)).toMatchObject({ status: 401, body: { code: 'unknown' } });
      expect((await latchkey.admin.get(`/v1/api_keys/${key.id}`)).status).toBe(404);
      expect((await latchkey.admin.delete(`/v1/api_keys/${key.id}`)).status).toBe(404);
    });

    test('is deleted exactly once by concurrent deletions', async () => {
      const key = await createKey(latchkey.admin);
      const answers = await Promise.all([1, 2, 3, 4].map(() => latchkey.admin.delete(`/v1/api_keys/${key.id}`)));
      expect(answers.map(({ status }) => status).sort()).toEqual([204, 404, 404, 404]);
      const { body } = await latchkey.admin.get<{ data: { entity: string }[] }>(
        `/v1/changes?entityPath=/v1/api_keys/${key.id}&pageSize=1000`,
      );
      expect(body.data.filter(({ entity }) => entity === `DELETE /v1/api_keys/${key.id}`)).toHaveLength(1);
    });
  });

  describe('that is presented wrongly', () => {
    test.each([
      ['with a typo', (key: string) => `ManagementKey-v1 ${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`],
      ['cut short', (key: string) => `ManagementKey-v1 ${key.slice(0, -1)}`],
      ['with two spaces', (key: string) => `ManagementKey-v1  ${key}`],
      ['without its scheme', (key: string) => key],
      ['with another scheme', (key: string) => `Basic ${key}`],
      ['as a session token', (key: string) => `Bearer ${key}`],
      ['with something after it', (key: string) => `ManagementKey-v1 ${key} x`],
      ['twice in one header', (key: string) => `ManagementKey-v1 ${key}, ManagementKey-v1 ${key}`],
      ['as a scheme alone', () => 'ManagementKey-v1'],
      ['as an empty header', () => ''],
    ])('%s is refused as malformed', async (_name, authorization) => {
      const { key } = await createKey(latchkey.admin);
      const answer = await latchkey
        .as(authorization(key))
        .get<ProblemBody>(`/v1/applications/${applicationId}/campaigns`);
      expect(answer).toMatchObject({ status: 401, body: { code: 'malformed' } });
    });

    test('in a cookie is ignored', async () => {
      const { key } = await createKey(latchkey.admin);
      const path = `/v1/applications/${applicationId}/campaigns`;
      const cookie = await latchkey.anonymous.get<ProblemBody>(path, {
        cookie: `authorization=ManagementKey-v1 ${key}`,
      });
      expect(cookie).toMatchObject({ status: 401, body: { code: 'credential-missing' } });
      expect(cookie.headers.get('www-authenticate')).not.toContain('error=');
    });
  });

  describe('in the list', () => {
    let creator: Awaited<ReturnType<typeof createAdmin>>;
    let keys: MadeKey[];
    let own: number;

    beforeAll(async () => {
      creator = await createAdmin(latchkey);
      own = await createApplication(latchkey.admin);
      keys = [];
      for (const parts of [
        { name: 'Straße 100%' },
        { name: 'STRASSE_two', allowedApplicationIds: [own] },
        { name: 'third', endpoints: [{ method: 'GET', path: '/v1/applications' }] },
      ]) {
        keys.push(await createKey(creator.client, parts));
      }
    });

    const list = async (query: string): Promise<string[]> => {
      const answer = await latchkey.admin.get<{ totalResultSize: number; data: { name: string }[] }>(
        `/v1/api_keys?createdBy=${creator.id}&${query}`,
      );
      expect(answer.status).toBe(200);
      return answer.body.data.map(({ name }) => name);
    };

    test('is found by each filter that it matches, and by no other', async () => {
      expect(await list('sort=id')).toEqual(['Straße 100%', 'STRASSE_two', 'third']);
      expect(await list('sort=-name')).toEqual(['third', 'Straße 100%', 'STRASSE_two']);
      expect(await list('name=stra%C3%9Fe')).toEqual(['Straße 100%']);
      expect(await list('name=%25')).toEqual(['Straße 100%']);
      expect(await list('name=_')).toEqual(['STRASSE_two']);
      expect(await list('name=TH')).toEqual(['third']);
      expect(await list(`applicationId=${own}&sort=id`)).toEqual(['Straße 100%', 'STRASSE_two', 'third']);
      expect(await list(`applicationId=${applicationId}&sort=id`)).toEqual(['Straße 100%', 'third']);
      expect(await list(`endpoint=${encodeURIComponent('GET /v1/applications')}`)).toEqual(['third']);
      expect(await list(`endpoint=${encodeURIComponent('management GET /v1/applications')}`)).toEqual(['third']);
      expect(await list(`endpoint=${encodeURIComponent('billing GET /v1/applications')}`)).toEqual([]);
      expect(await list('state=valid&sort=id')).toEqual(['Straße 100%', 'STRASSE_two', 'third']);
      expect(await list('state=expired')).toEqual([]);
    });

    test('is found by combined filters only if it matches all of them', async () => {
      const [owner, other] = [await createAdmin(latchkey), await createAdmin(latchkey)];
      const endpoints = [{ method: 'GET', path: '/v1/applications/{applicationId}' }, CAMPAIGNS];
      const fitting = { name: 'Wanted', endpoints, allowedApplicationIds: [own] };
      await createKey(owner.client, { ...fitting, name: 'Something else' });
      await createKey(owner.client, { ...fitting, endpoints: [CAMPAIGNS] });
      await createKey(owner.client, { ...fitting, allowedApplicationIds: [applicationId] });
      const soon = new Date(latchkey.clock.now() + 24 * 60 * 60 * 1000).toISOString();
      await createKey(owner.client, { ...fitting, expiryDate: soon });
      await createKey(other.client, fitting);
      const wanted = await createKey(owner.client, fitting);
      const endpoint = encodeURIComponent('management GET /v1/applications/{applicationId}');
      const { body } = await latchkey.admin.get<{ totalResultSize: number; data: { id: number }[] }>(
        `/v1/api_keys?createdBy=${owner.id}&name=wanted&applicationId=${own}&endpoint=${endpoint}&state=valid`,
      );
      expect([body.totalResultSize, body.data.map(({ id }) => id)]).toEqual([1, [wanted.id]]);
    });

    test('is paged, and the total is that of all pages', async () => {
      const page = await latchkey.admin.get(`/v1/api_keys?createdBy=${creator.id}&sort=id&pageSize=1&skip=1`);
      expect(page.body).toMatchObject({ totalResultSize: 3, data: [{ name: 'STRASSE_two' }] });
      expect(await list('skip=3')).toEqual([]);
    });

    test.each([
      'pageSize=0',
      'pageSize=1001',
      'pageSize=x',
      'pageSize=1&pageSize=2',
      'skip=-1',
      'sort=keyHash',
      'state=dead',
      'x=1',
    ])('is not found by the invalid query %s, and the error names the parameter', async (query) => {
      const answer = await latchkey.admin.get<ProblemBody>(`/v1/api_keys?${query}`);
      expect(answer).toMatchObject({ status: 400, body: { code: 'validation-failed' } });
      expect(answer.body.errors![0]!.parameter).toBe(query.split('=')[0]);
    });

    test.each(['0', '01', '2147483648', 'x', '1.5', '%31x', '-1'])('the id %s is malformed', async (id) => {
      expect(await latchkey.admin.get(`/v1/api_keys/${id}`)).toMatchObject({
        status: 400,
        body: { code: 'id-malformed' },
      });
    });
  });

  test('has its creation, deletion and grants in the audit log, but not its secret', async () => {
    const applicationId = await createApplication(latchkey.admin);
    const key = await createKey(latchkey.admin, {
      name: 'Audited',
      endpoints: [CAMPAIGNS],
      allowedApplicationIds: [applicationId],
    });
    await latchkey.admin.delete(`/v1/api_keys/${key.id}`);
    const { body } = await latchkey.admin.get<{
      data: { entity: string; old?: object; new?: object; userId: number }[];
    }>('/v1/changes?pageSize=10&includeOld=true&sort=-created');
    const text = JSON.stringify(body.data);
    const opened = { endpoints: [{ service: 'management', ...CAMPAIGNS }], allowedApplicationIds: [applicationId] };
    expect(body.data.slice(0, 2)).toMatchObject([
      { entity: `DELETE /v1/api_keys/${key.id}`, old: { name: 'Audited', ...opened } },
      { entity: 'POST /v1/api_keys', new: { name: 'Audited', ...opened } },
    ]);
    expect(text).not.toContain(key.key);
    expect(text).not.toMatch(/[0-9a-f]{64}/);
  });
});
