import type { ProblemBody } from '../support/client.js';
import { CAMPAIGNS, createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { startForKeys } from './key-fixtures.js';

const { latchkey, applicationId, use, view } = await startForKeys();
afterAll(() => latchkey.close());

describe('a key', () => {
  describe('when it is created', () => {
    test('is returned once with its secret and all its properties, in a response that may not be cached', async () => {
      const answer = await latchkey.admin.post<MadeKey>('/v1/api_keys', {
        name: '  Coupon importer ',
        expiryDate: '2027-06-30T22:00:00+02:00',
        allowedApplicationIds: [applicationId],
        endpoints: [CAMPAIGNS],
      });
      expect(answer.status).toBe(201);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.body).toEqual({
        id: expect.any(Number),
        name: 'Coupon importer',
        created: '2026-11-23T12:00:00.000Z',
        createdBy: 1,
        accountID: 1,
        expiryDate: '2027-06-30T20:00:00.000Z',
        endpoints: [{ service: 'management', ...CAMPAIGNS, gone: false, changed: false, ownerNotAdmin: false }],
        allowedApplicationIds: [applicationId],
        allApplications: false,
        state: 'valid',
        stateReason: null,
        disabled: false,
        lastUsed: null,
        hint: answer.body.key.slice(0, 8),
        key: expect.stringMatching(/^lkm_[0-9A-Za-z]{49}$/),
      });
      const { key, ...rest } = answer.body;
      expect(key).toBeDefined();
      expect(await view(answer.body)).toEqual(rest);
    });

    test('is accepted immediately', async () => {
      expect((await use(await createKey(latchkey.admin))).status).toBe(200);
    });

    test('is accepted with its scheme in any case', async () => {
      const { key } = await createKey(latchkey.admin);
      const answer = await latchkey.as(`mAnAgEmEnTkEy-V1 ${key}`).get(`/v1/applications/${applicationId}/campaigns`);
      expect(answer.status).toBe(200);
    });

    test('is for all Applications, including later ones, if its list of Applications is empty', async () => {
      const key = await createKey(latchkey.admin, { allowedApplicationIds: [] });
      expect(key).toMatchObject({ allApplications: true, allowedApplicationIds: [] });
      expect((await use(key, await createApplication(latchkey.admin))).status).toBe(200);
    });

    test('is refused with a pointer to each value that is repeated, unknown or not allowed', async () => {
      const answer = await latchkey.admin.post<ProblemBody>('/v1/api_keys', {
        name: 'Faulty',
        expiryDate: '2026-11-23T12:00:00.000Z',
        allowedApplicationIds: [applicationId, 2147483647],
        endpoints: [
          CAMPAIGNS,
          CAMPAIGNS,
          { method: 'GET', path: '/v1/applications' },
          { method: 'POST', path: '/v1/api_keys' },
          { service: 'nowhere', method: 'GET', path: '/x' },
        ],
      });
      expect(answer.status).toBe(400);
      expect(answer.body.code).toBe('validation-failed');
      expect(answer.body.errors!.map((fault) => fault.pointer)).toEqual([
        '/endpoints/1',
        '/endpoints/2',
        '/endpoints/3',
        '/endpoints/4',
        '/expiryDate',
        '/allowedApplicationIds/1',
      ]);
    });

    test('is refused with a pointer to each malformed value', async () => {
      const faults = async (body: object): Promise<[string | undefined, string][]> => {
        const answer = await latchkey.admin.post<ProblemBody>('/v1/api_keys', body);
        expect([answer.status, answer.body.code]).toEqual([400, 'validation-failed']);
        return answer.body.errors!.map(({ pointer, detail }) => [pointer, detail]);
      };
      const found = await faults({
        name: '',
        expiryDate: 'tomorrow',
        allowedApplicationIds: [0, 1, -1, 1.5, '1', 2147483648],
        endpoints: [{ method: 'get', path: '' }, null, 'GET /v1/users'],
      });
      expect([...new Set(found.map(([pointer]) => pointer))].sort()).toEqual([
        '/allowedApplicationIds/0',
        '/allowedApplicationIds/2',
        '/allowedApplicationIds/3',
        '/allowedApplicationIds/4',
        '/allowedApplicationIds/5',
        '/endpoints/0/method',
        '/endpoints/0/path',
        '/endpoints/1',
        '/endpoints/2',
        '/expiryDate',
        '/name',
      ]);
      const list = { name: 'x', expiryDate: '2027-01-01', endpoints: { 0: { method: 'GET', path: '/v1/users' } } };
      expect(await faults(list)).toEqual([['/endpoints', 'endpoints must be an array']]);
      const foreign = { ...list, endpoints: [{ service: 'nowhere', method: 'GET', path: '/v1/users' }] };
      expect(await faults(foreign)).toEqual([['/endpoints/0', expect.stringContaining('for service "nowhere"')]]);
    });

    const CAMPAIGN_KEY = { name: 'x', expiryDate: '2027-01-01', endpoints: [CAMPAIGNS] };
    test.each([
      ['no name', { ...CAMPAIGN_KEY, name: undefined }, '/name'],
      ['an empty name', { ...CAMPAIGN_KEY, name: '   ' }, '/name'],
      ['a name of 101 characters', { ...CAMPAIGN_KEY, name: 'x'.repeat(101) }, '/name'],
      ['a name that is a number', { ...CAMPAIGN_KEY, name: 7 }, '/name'],
      ['a name that is null', { ...CAMPAIGN_KEY, name: null }, '/name'],
      ['a name with NUL', { ...CAMPAIGN_KEY, name: 'a\0b' }, '/name'],
      ['no endpoints', { ...CAMPAIGN_KEY, endpoints: [] }, '/endpoints'],
      ['endpoints that are not a list', { ...CAMPAIGN_KEY, endpoints: {} }, '/endpoints'],
      ['endpoints that are lists', { ...CAMPAIGN_KEY, endpoints: [[CAMPAIGNS]] }, '/endpoints/0'],
      ['endpoints that are null', { ...CAMPAIGN_KEY, endpoints: [null] }, '/endpoints/0'],
      [
        'a METHOD in lower case',
        { ...CAMPAIGN_KEY, endpoints: [{ ...CAMPAIGNS, method: 'get' }] },
        '/endpoints/0/method',
      ],
      ['an unknown field', { ...CAMPAIGN_KEY, admin: true }, '/admin'],
      ['an unknown field of an endpoint', { ...CAMPAIGN_KEY, endpoints: [{ ...CAMPAIGNS, x: 1 }] }, '/endpoints/0/x'],
      ['an Application id of 0', { ...CAMPAIGN_KEY, allowedApplicationIds: [0] }, '/allowedApplicationIds/0'],
      ['an Application id that is text', { ...CAMPAIGN_KEY, allowedApplicationIds: ['1'] }, '/allowedApplicationIds/0'],
      ['an Application id twice', { ...CAMPAIGN_KEY, allowedApplicationIds: [1, 1] }, '/allowedApplicationIds'],
      ['Applications that are null', { ...CAMPAIGN_KEY, allowedApplicationIds: null }, '/allowedApplicationIds'],
      ['no expiry date', { ...CAMPAIGN_KEY, expiryDate: undefined }, '/expiryDate'],
      ['an expiry date without an offset', { ...CAMPAIGN_KEY, expiryDate: '2027-01-01T00:00:00' }, '/expiryDate'],
      ['an expiry date that does not exist', { ...CAMPAIGN_KEY, expiryDate: '2027-02-30' }, '/expiryDate'],
      ['an expiry date that is a number', { ...CAMPAIGN_KEY, expiryDate: 1 }, '/expiryDate'],
      ['an expiry date in the past', { ...CAMPAIGN_KEY, expiryDate: '2026-11-22' }, '/expiryDate'],
    ])('%s is refused', async (_name, body, pointer) => {
      const answer = await latchkey.admin.post<ProblemBody>('/v1/api_keys', body);
      expect(answer.status).toBe(400);
      expect(answer.body.code).toBe('validation-failed');
      expect(answer.body.errors!.map((fault) => fault.pointer)).toContain(pointer);
    });

    test('the list of grantable endpoints can be filtered by scope', async () => {
      const all = await latchkey.admin.get<{ data: { scope: string; path: string }[] }>('/v1/endpoints?pageSize=1000');
      const narrowed = await latchkey.admin.get<{ data: { path: string }[] }>(
        '/v1/endpoints?pageSize=1000&scope=application',
      );
      expect(all.body.data.map((endpoint) => endpoint.scope)).toContain('account');
      expect(narrowed.body.data.every((endpoint) => endpoint.path.includes('{applicationId}'))).toBe(true);
      expect(narrowed.body.data).toEqual(all.body.data.filter((endpoint) => endpoint.scope === 'application'));
      const none = await latchkey.admin.get('/v1/endpoints?q=no-such-thing');
      expect(none.body).toEqual({ totalResultSize: 0, data: [] });
    });

    test('cannot be granted endpoints that manage keys, users, sessions or services', async () => {
      const { body } = await latchkey.admin.get<{ data: { service: string; method: string; path: string }[] }>(
        '/v1/endpoints?pageSize=1000',
      );
      expect(body.data.filter(({ path }) => /api_keys|services|sessions|endpoints/.test(path))).toEqual([]);
      const ungrantable = [
        ['POST', '/v1/api_keys'],
        ['DELETE', '/v1/api_keys/{apiKeyId}'],
        ['POST', '/v1/users'],
        ['PUT', '/v1/users/{userId}/password'],
        ['POST', '/v1/sessions'],
        ['PUT', '/v1/services/{service}'],
      ];
      for (const [method, path] of ungrantable) {
        const answer = await latchkey.admin.post('/v1/api_keys', {
          name: 'Too much',
          expiryDate: '2099-06-30T22:00:00Z',
          endpoints: [{ method, path }],
        });
        expect([path, answer.status]).toEqual([path, 400]);
      }
      const all = await createKey(latchkey.admin, {
        endpoints: body.data
          .filter(({ service }) => service === 'management')
          .map(({ method, path }) => ({ method, path })),
      });
      const holder = latchkey.as(`ManagementKey-v1 ${all.key}`);
      const answers = await Promise.all([
        holder.post('/v1/api_keys', { name: 'More' }),
        holder.get('/v1/api_keys'),
        holder.delete(`/v1/api_keys/${all.id}`),
        holder.post('/v1/users', {}),
        holder.put('/v1/services/billing', {}),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
    });
  });
});
