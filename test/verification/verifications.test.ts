import { readFileSync } from 'node:fs';
import { OVERRIDE_PARAMETERS, OVERRIDE_PARAMETERS_BY_VALUE } from '../../src/access/paths/request-overrides.js';
import type { Answer, Client, ProblemBody } from '../support/client.js';
import { createAdmin, createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { sendRaw } from '../support/raw-http.js';

interface Verification {
  valid: boolean;
  code: string;
  detail: string;
  endpoint: { service: string; method: string; path: string } | null;
  applicationId: number | null;
  key: { id: number; name: string; hint: string; createdBy: number; expiryDate: string; state: string } | null;
}

const OPENAPI = {
  openapi: '3.1.0',
  paths: {
    '/invoices': { get: {}, post: {} },
    '/invoices/me': { get: {} },
    '/invoices/{id}': { get: {} },
    '/applications/{applicationId}/invoices': { get: {} },
  },
};

let latchkey: Latchkey;
let verifier: Client;
let key: MadeKey;
let limited: MadeKey;
let one: number;
let two: number;

beforeAll(async () => {
  latchkey = await startLatchkey();
  one = await createApplication(latchkey.admin);
  two = await createApplication(latchkey.admin);
  await latchkey.admin.put('/v1/services/billing', { name: 'Billing', openapi: OPENAPI });
  const { key: own } = await createKey(latchkey.admin, {
    name: 'The service itself',
    endpoints: [{ method: 'POST', path: '/v1/verifications' }],
  });
  verifier = latchkey.as(`ManagementKey-v1 ${own}`);
  const billing = (method: string, path: string): object => ({ service: 'billing', method, path });
  const ofApplication = billing('GET', '/applications/{applicationId}/invoices');
  key = await createKey(latchkey.admin, {
    endpoints: [billing('GET', '/invoices'), billing('GET', '/invoices/{id}'), ofApplication],
  });
  limited = await createKey(latchkey.admin, { endpoints: [ofApplication], allowedApplicationIds: [one] });
});
afterAll(() => latchkey.close());

async function verify(secret: string, method: string, path: string, service = 'billing'): Promise<Verification> {
  const { status, body } = await verifier.post<Verification>('/v1/verifications', {
    key: secret,
    service,
    method,
    path,
  });
  expect(status).toBe(200);
  return body;
}

/** Returns a key as a verification shows it. */
function shown({ id, name, hint, createdBy, expiryDate, state }: MadeKey): Verification['key'] {
  return { id, name, hint, createdBy, expiryDate, state };
}

test('a key is valid for the endpoints that it was granted, and the response names the endpoint and the key', async () => {
  expect(await verify(key.key, 'GET', '/invoices/7?page=2')).toEqual({
    valid: true,
    code: 'valid',
    detail: 'The key opens GET /invoices/{id}.',
    endpoint: { service: 'billing', method: 'GET', path: '/invoices/{id}' },
    applicationId: null,
    key: shown(key),
  });
  expect(await verify(limited.key, 'HEAD', `/applications/${one}/invoices`)).toEqual({
    valid: true,
    code: 'valid',
    detail: 'The key opens GET /applications/{applicationId}/invoices.',
    endpoint: { service: 'billing', method: 'GET', path: '/applications/{applicationId}/invoices' },
    applicationId: one,
    key: shown(limited),
  });
});

test.each<[string, () => [string, string, string, string?], string, string | null]>([
  ['an endpoint that was not granted', () => [key.key, 'POST', '/invoices'], 'endpoint-not-allowed', '/invoices'],
  [
    'a literal beside the granted parameter',
    () => [key.key, 'GET', '/invoices/me'],
    'endpoint-not-allowed',
    '/invoices/me',
  ],
  ['a METHOD that the path does not have', () => [key.key, 'DELETE', '/invoices'], 'endpoint-unknown', null],
  ['a METHOD in lower case', () => [key.key, 'get', '/invoices'], 'endpoint-unknown', null],
  ['a path that does not exist', () => [key.key, 'GET', '/nothing'], 'endpoint-unknown', null],
  ['a service that is not registered', () => [key.key, 'GET', '/invoices', 'unheard-of'], 'endpoint-unknown', null],
  ['a literal in upper case', () => [key.key, 'GET', '/invoices/ME'], 'path-ambiguous', null],
  ['an empty path', () => [key.key, 'GET', ''], 'path-ambiguous', null],
  ['a complete URL', () => [key.key, 'GET', 'https://example.com/invoices'], 'path-ambiguous', null],
  ...[...OVERRIDE_PARAMETERS, ...OVERRIDE_PARAMETERS_BY_VALUE].map(
    ({ name }): [string, () => [string, string, string], string, null] => [
      `another METHOD in the query, as ${name}`,
      () => [key.key, 'GET', `/invoices?${name}=POST`],
      'path-ambiguous',
      null,
    ],
  ),
  [
    'another Application',
    () => [limited.key, 'GET', `/applications/${two}/invoices`],
    'application-not-allowed',
    '/applications/{applicationId}/invoices',
  ],
  [
    'an Application that does not exist',
    () => [limited.key, 'GET', '/applications/2147483647/invoices'],
    'application-not-allowed',
    '/applications/{applicationId}/invoices',
  ],
  [
    'a malformed Application id',
    () => [limited.key, 'GET', '/applications/1e0/invoices'],
    'application-malformed',
    '/applications/{applicationId}/invoices',
  ],
])('a key is not valid for any other request: %s', async (_name, request, code, path) => {
  const [secret, ...rest] = request();
  const answer = await verify(secret, ...rest);
  expect(answer).toMatchObject({ valid: false, code, applicationId: null });
  expect(answer.endpoint?.path ?? null).toBe(path);
  expect(answer.key).toEqual(shown(secret === key.key ? key : limited));
});

test('the response to an invalid key reveals nothing, and does not repeat it', async () => {
  const wrongChecksum = key.key.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  const sessionToken = latchkey.admin.authorization!.replace('Bearer ', '');
  for (const presented of ['', 'nonsense', wrongChecksum, sessionToken, 'x'.repeat(9000), ` ${key.key}`]) {
    const { detail, ...answer } = await verify(presented, 'GET', '/invoices');
    expect(answer).toEqual({ valid: false, code: 'malformed', endpoint: null, applicationId: null, key: null });
    expect(presented === '' || !detail.includes(presented)).toBe(true);
  }
  const deleted = await createKey(latchkey.admin);
  await latchkey.admin.delete(`/v1/api_keys/${deleted.id}`);
  const answer = await verify(deleted.key, 'GET', '/invoices');
  expect(answer).toMatchObject({ valid: false, code: 'unknown', endpoint: null, key: null });
  expect(JSON.stringify(answer)).not.toContain(deleted.key);
});

test('the response to a key that no longer works names the reason and the key', async () => {
  const endpoints = [{ service: 'billing', method: 'GET', path: '/invoices' }];
  const creator = await createAdmin(latchkey);
  const orphaned = await createKey(creator.client, { endpoints });
  const codeOf = async (tested: MadeKey): Promise<[string, string | undefined]> => {
    const answer = await verify(tested.key, 'GET', '/invoices');
    expect(answer).toMatchObject({ endpoint: null, applicationId: null, key: { id: tested.id, hint: tested.hint } });
    return [answer.code, answer.key?.state];
  };
  await latchkey.admin.put(`/v1/users/${creator.id}`, { state: 'deactivated' });
  expect(await codeOf(orphaned)).toEqual(['creator-deactivated', 'invalid']);
  await latchkey.admin.delete(`/v1/users/${creator.id}`);
  expect(await codeOf(orphaned)).toEqual(['creator-deleted', 'invalid']);

  const lost = await createApplication(latchkey.admin);
  const narrow = await createKey(latchkey.admin, {
    endpoints: [{ service: 'billing', method: 'GET', path: '/applications/{applicationId}/invoices' }],
    allowedApplicationIds: [lost],
  });
  await latchkey.admin.delete(`/v1/applications/${lost}`);
  expect(await codeOf(narrow)).toEqual(['no-application-left', 'invalid']);

  const short = await createKey(latchkey.admin, {
    endpoints,
    expiryDate: new Date(latchkey.clock.now() + 60_000).toISOString(),
  });
  expect((await verify(short.key, 'GET', '/invoices')).key?.state).toBe('expires-soon');
  latchkey.clock.advance(60_000);
  expect(await codeOf(short)).toEqual(['expired', 'expired']);
});

test('a verification without a service is about Latchkey itself, and allows only endpoints that the key was granted', async () => {
  const holder = await createKey(latchkey.admin, {
    endpoints: [{ method: 'GET', path: '/v1/applications/{applicationId}' }],
  });
  const ask = async (method: string, path: string, more: object = {}): Promise<Verification> =>
    (await verifier.post<Verification>('/v1/verifications', { key: holder.key, method, path, ...more })).body;
  expect(await ask('GET', `/v1/applications/${two}`)).toMatchObject({
    valid: true,
    endpoint: { service: 'management' },
    applicationId: two,
  });
  expect(await ask('GET', `/v1/applications/${two}`, { service: 'management' })).toMatchObject({ valid: true });
  for (const [method, path] of [
    ['GET', '/v1/applications'],
    ['POST', '/v1/api_keys'],
    ['POST', '/v1/sessions'],
    ['GET', '/v1/services/billing'],
    ['GET', '/health/live'],
  ] as const) {
    expect([path, (await ask(method, path)).code]).toEqual([path, 'endpoint-not-allowed']);
  }
  expect((await ask('GET', '/docs')).code).toBe('endpoint-unknown');
});

test('every ambiguous path of the vectors is refused', async () => {
  const vectors = JSON.parse(readFileSync(new URL('../access/path-vectors.json', import.meta.url), 'utf8')) as {
    raw: string;
    expect: 'segments' | 'ambiguous';
    why: string;
  }[];
  const wrong: string[] = [];
  for (const { raw, expect: expected, why } of vectors) {
    const { status, body } = await verifier.post<Verification>('/v1/verifications', {
      key: key.key,
      service: 'billing',
      method: 'PATCH',
      path: raw,
    });
    // A text that JSON may contain but no database can store is a malformed request.
    const code = /\0/.test(raw) || !raw.isWellFormed() ? (status === 400 ? 'path-ambiguous' : status) : body.code;
    if (code !== (expected === 'ambiguous' ? 'path-ambiguous' : 'endpoint-unknown')) {
      wrong.push(`${JSON.stringify(raw.slice(0, 60))} (${why}): ${code}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('a malformed request is refused, and the error does not repeat the key', async () => {
  const good = { key: key.key, service: 'billing', method: 'GET', path: '/invoices' };
  for (const [fault, pointer] of [
    [{ key: 7 }, '/key'],
    [{ key: undefined }, '/key'],
    [{ method: '' }, '/method'],
    [{ method: 'GET /' }, '/method'],
    [{ path: undefined }, '/path'],
    [{ path: ['/invoices'] }, '/path'],
    [{ service: null }, '/service'],
    [{ endpoint: 'GET /invoices' }, '/endpoint'],
  ] as const) {
    const { status, body } = await verifier.post<ProblemBody>('/v1/verifications', { ...good, ...fault });
    expect([fault, status, body.code, body.errors?.[0]?.pointer]).toEqual([fault, 400, 'validation-failed', pointer]);
    expect(JSON.stringify(body)).not.toContain(key.key);
  }
});

test('only admins and keys with the grant may request a verification', async () => {
  const request = { key: key.key, service: 'billing', method: 'GET', path: '/invoices' };
  const ask = (client: Client): Promise<Answer<ProblemBody>> => client.post('/v1/verifications', request);
  expect((await ask(latchkey.admin)).status).toBe(200);
  expect((await ask(verifier)).headers.get('cache-control')).toBe('no-store');
  expect((await ask(latchkey.anonymous)).body.code).toBe('credential-missing');
  expect((await ask(latchkey.as(`ManagementKey-v1 ${key.key}`))).body.code).toBe('endpoint-not-allowed');
});

test('a verification has the same result as forward auth', async () => {
  const requests = [key, limited].flatMap(({ key: secret }) =>
    ['GET', 'HEAD', 'POST', 'PUT'].flatMap((method) =>
      [
        '/invoices',
        '/invoices/7',
        '/invoices/me',
        '/invoices/',
        `/applications/${one}/invoices`,
        '/applications/x/invoices',
      ].map((path) => [secret, method, path] as const),
    ),
  );
  for (const [secret, method, path] of requests) {
    const { valid, endpoint, applicationId } = await verify(secret, method, path);
    const { status, headers } = await sendRaw(latchkey.url, 'GET', '/v1/forward_auth/original/billing', [
      ['Authorization', `ManagementKey-v1 ${secret}`],
      ['X-Original-Method', method],
      ['X-Original-URI', path],
    ]);
    expect([method, path, status]).toEqual([method, path, valid ? 200 : 403]);
    if (valid) {
      expect(headers['x-latchkey-endpoint']).toBe(`${endpoint!.method} ${endpoint!.path}`);
      expect(headers['x-latchkey-application-id']).toBe(String(applicationId ?? ''));
    }
  }
});

test('a change by an admin applies to the next verification', async () => {
  const service = 'changing';
  const put = (paths: object): Promise<unknown> =>
    latchkey.admin.put(`/v1/services/${service}`, { name: service, openapi: { openapi: '3.1.0', paths } });
  await put({ '/a': { get: {} } });
  const holder = await createKey(latchkey.admin, { endpoints: [{ service, method: 'GET', path: '/a' }] });
  const code = async (): Promise<string> => (await verify(holder.key, 'GET', '/a', service)).code;
  expect(await code()).toBe('valid');
  await put({ '/a': { post: {} } });
  expect(await code()).toBe('endpoint-unknown');
  await put({ '/a': { get: {} } });
  expect(await code()).toBe('valid');
  // The new literal matches a path that the parameter matched before.
  await put({ '/{any}': { get: {} }, '/a': { get: {} } });
  expect(await code()).toBe('valid');
  await latchkey.admin.delete(`/v1/services/${service}`);
  expect(await code()).toBe('endpoint-unknown');
  await latchkey.admin.delete(`/v1/api_keys/${holder.id}`);
  expect(await code()).toBe('unknown');
});
