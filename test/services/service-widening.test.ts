import type { ProblemBody } from '../support/client.js';
import { createKey, type MadeKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { sendRaw } from '../support/raw-http.js';
import { type Difference, document, names, putService } from './service-fixtures.js';
import { readWithoutThread } from '../support/without-thread.js';

let latchkey: Latchkey;
beforeAll(async () => {
  latchkey = await startLatchkey();
  readWithoutThread(latchkey);
});
afterAll(() => latchkey.close());

const put = async (service: string, openapi: unknown, more = {}, query = ''): Promise<Difference> => {
  const { status, body } = await putService(latchkey.admin, service, openapi, more, query);
  expect([200, 201]).toContain(status);
  return body;
};

const keyFor = (service: string, ...endpoints: string[]): Promise<MadeKey> =>
  createKey(latchkey.admin, {
    endpoints: endpoints.map((endpoint) => {
      const [method, path] = endpoint.split(' ');
      return { service, method, path };
    }),
  });

async function outcome(service: string, key: MadeKey, request: string): Promise<string> {
  const [method = '', path = ''] = request.split(' ');
  const { status, headers } = await sendRaw(latchkey.url, method, `/v1/forward_auth/envoy/${service}${path}`, [
    ['Authorization', `ManagementKey-v1 ${key.key}`],
  ]);
  return status === 200 ? 'allowed' : String(headers['x-latchkey-error']);
}

/** The METHODs of all requests in these tests. */
const METHODS = ['GET', 'HEAD', 'POST', 'DELETE'];
const PATHS = [
  '/x/b/c',
  '/a',
  '/a/',
  '/v2/a',
  '/a/me',
  '/a/7',
  '/a/7/',
  '/a/x.json',
  '/a/7:end',
  '/a/b/c',
  '/a?bulk=1',
  '/A/me',
];

async function opened(service: string, key: MadeKey): Promise<string[]> {
  const requests = METHODS.flatMap((method) => PATHS.map((path) => `${method} ${path}`));
  const outcomes = await Promise.all(requests.map((request) => outcome(service, key, request)));
  return requests.filter((_, index) => outcomes[index] === 'allowed');
}

const BOTH = { get: {}, post: {} };

describe('a new document never widens what a key may do:', () => {
  test.each<[string, string, object, object, Record<string, unknown>?]>([
    ['a server with another path', 'GET /a', { '/a': BOTH }, { '/a': BOTH }, { servers: [{ url: '/v2' }] }],
    ['another METHOD', 'GET /a', { '/a': { get: {} } }, { '/a': { post: {}, delete: {}, head: {} } }],
    ['a trailing slash', 'GET /a', { '/a': { get: {} } }, { '/a/': { get: {} } }],
    ['another name of a parameter', 'GET /a/{id}', { '/a/{id}': { get: {} } }, { '/a/{name}': { get: {} } }],
    ['a literal that is removed', 'GET /a/{id}', { '/a/{id}': BOTH, '/a/me': BOTH }, { '/a/{id}': BOTH }],
    ['a suffix that is removed', 'GET /a/{id}', { '/a/{id}': BOTH, '/a/{n}.json': BOTH }, { '/a/{id}': BOTH }],
    ['a verb that is removed', 'POST /a/{id}', { '/a/{id}': BOTH, '/a/{id}:end': BOTH }, { '/a/{id}': BOTH }],
    ['a query that is removed', 'POST /a', { '/a': BOTH, '/a?bulk=true': BOTH }, { '/a': BOTH }],
    [
      'a longer literal that is removed',
      'GET /{x}/{y}/{z}',
      { '/{x}/{y}/{z}': BOTH, '/a/b/{c}': BOTH },
      { '/{x}/{y}/{z}': BOTH },
    ],
    [
      'a literal that can no longer be granted',
      'GET /a/{id}',
      { '/a/{id}': BOTH, '/a/me': BOTH },
      { '/a/{id}': BOTH, '/a/me#x': BOTH },
    ],
  ])('%s', async (name, granted, before, after, more = {}) => {
    const service = name.replaceAll(' ', '-').toLowerCase().slice(0, 40);
    await put(service, document(before));
    const key = await keyFor(service, granted);
    const allowed = await opened(service, key);
    expect(allowed.length).toBeGreaterThan(0);
    await put(service, document(after, more));
    const now = await opened(service, key);
    expect(now.filter((request) => !allowed.includes(request))).toEqual([]);
    // Registering the same document again, or one in between, must not widen it either.
    await put(service, document(after, more));
    await put(service, document({ ...after, '/other': { get: {} } }, more));
    await put(service, document(after, more));
    expect(await opened(service, key)).toEqual(now);
  });
});

describe('an operation that a new document removes', () => {
  const BEFORE = document({ '/a/{id}': BOTH, '/a/me': { get: {} }, '/b': { get: {} } });
  const AFTER = document({ '/a/{id}': BOTH });

  test('stays refused until an admin confirms that keys for another endpoint may open it', async () => {
    const service = 'leaving';
    await put(service, BEFORE);
    const key = await keyFor(service, 'GET /a/{id}');
    const dry = await put(service, AFTER, {}, '?dryRun=true');
    // No key has a grant that could match /b.
    expect(names(dry.changedGrants.takenOver)).toEqual(['GET /a/me']);
    expect((await put(service, AFTER)).changedGrants).toEqual(dry.changedGrants);
    expect([await outcome(service, key, 'GET /a/me'), await outcome(service, key, 'GET /a/7')]).toEqual([
      'path-ambiguous',
      'allowed',
    ]);
    const refused = await putService<ProblemBody>(latchkey.admin, service, AFTER, { confirmChanges: 'x' });
    expect([refused.status, refused.body.code]).toEqual([409, 'changes-not-confirmed']);
    const { changedGrants } = await put(service, AFTER, { confirmChanges: dry.changedGrants.digest! });
    expect(changedGrants).toMatchObject({ confirmed: true });
    expect(await outcome(service, key, 'GET /a/me')).toBe('allowed');
    expect((await put(service, AFTER)).changedGrants).toMatchObject({ digest: null, takenOver: [] });
  });

  test('stays refused after a document without any endpoint that could match it', async () => {
    const service = 'detour';
    await put(service, BEFORE);
    const key = await keyFor(service, 'GET /a/{id}');
    await put(service, document({ '/b': { get: {} } }));
    await put(service, AFTER);
    expect([await outcome(service, key, 'GET /a/me'), await outcome(service, key, 'GET /a/7')]).toEqual([
      'path-ambiguous',
      'allowed',
    ]);
  });

  test('is no longer refused when a document restores it, or no key has an endpoint that could match it', async () => {
    const service = 'coming-back';
    await put(service, BEFORE);
    const key = await keyFor(service, 'GET /a/{id}', 'GET /a/me');
    await put(service, AFTER);
    expect(await outcome(service, key, 'GET /a/me')).toBe('path-ambiguous');
    await put(service, BEFORE);
    expect(await outcome(service, key, 'GET /a/me')).toBe('allowed');
    await put(service, AFTER);
    await latchkey.admin.delete(`/v1/api_keys/${key.id}`);
    expect((await put(service, AFTER)).skipped).toEqual([]);
  });
});
