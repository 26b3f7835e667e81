import type { ProblemBody } from '../support/client.js';
import { createKey, type MadeKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { sendRaw } from '../support/raw-http.js';
import { document, grantableOf, names, putService } from '../services/service-fixtures.js';
import { runSql } from '../support/sql.js';

let latchkey: Latchkey;
beforeAll(async () => {
  latchkey = await startLatchkey();
});
afterAll(() => latchkey.close());

/** Registers a service and creates a key with a grant for each of its grantable endpoints. */
async function keyForAll(service: string, paths: unknown): Promise<MadeKey> {
  expect((await putService(latchkey.admin, service, document(paths))).status).toBe(201);
  const endpoints = (await grantableOf(latchkey.admin, service)).map(({ method, path }) => ({ service, method, path }));
  return createKey(latchkey.admin, { endpoints });
}

/** Returns the result of forward auth for each request, with the raw path in the request line and in a header. */
async function outcomes(service: string, key: MadeKey, requests: string[]): Promise<Record<string, string>> {
  const entries: [string, string][] = [];
  for (const request of requests) {
    const [method = '', path = ''] = request.split(' ');
    const authorization = ['Authorization', `ManagementKey-v1 ${key.key}`] as const;
    const answers = await Promise.all([
      sendRaw(latchkey.url, method, `/v1/forward_auth/envoy/${service}${path}`, [authorization]),
      sendRaw(latchkey.url, 'GET', `/v1/forward_auth/original/${service}`, [
        authorization,
        ['X-Original-Method', method],
        ['X-Original-URI', path],
      ]),
    ]);
    const results = answers.map(({ status, body }) =>
      status === 200 ? 'allowed' : (JSON.parse(body) as ProblemBody).code,
    );
    expect(new Set(results).size).toBe(1);
    entries.push([request, results[0]!]);
  }
  return Object.fromEntries(entries);
}

async function expectRefusedOnly(service: string, key: MadeKey, refused: string[], allowed: string[]): Promise<void> {
  expect(await outcomes(service, key, [...refused, ...allowed])).toEqual({
    ...Object.fromEntries(refused.map((request) => [request, 'path-ambiguous'])),
    ...Object.fromEntries(allowed.map((request) => [request, 'allowed'])),
  });
}

test('a key for a path is refused for an operation that only its query distinguishes, in any reading of the query', async () => {
  const key = await keyForAll('bulk', { '/things': { post: {} }, '/things?bulkDelete=true': { post: {} } });
  await expectRefusedOnly(
    'bulk',
    key,
    [
      'POST /things?bulkDelete=true',
      'POST /things?bulkDelete=false',
      'POST /things?bulkdelete',
      'POST /things?x=1&bulkDelete[]=true',
      'POST /things?x=1;bulkDelete=true',
      'POST /things?%2562ulkDelete=true',
      'POST /things?x%26bulkDelete=true',
      'POST /things?x=%',
    ],
    ['POST /things', 'POST /things?', 'POST /things?x=bulkDelete', 'POST /things?dryRun=true'],
  );
});

test('such an operation is refused if its path has parameters, or a literal where the endpoint of the key has a parameter', async () => {
  const key = await keyForAll('buckets', {
    '/{bucket}': { put: {} },
    '/{bucket}/{key}': { put: {} },
    '/{bucket}?acl': { put: {} },
    '/logs/{name}?$action=purge': { post: {} },
    '/special/{key}': { put: {} },
    '/special/{key}?acl': { put: {} },
  });
  await expectRefusedOnly(
    'buckets',
    key,
    ['PUT /a?acl', 'PUT /a?x&ACL=1', 'PUT /logs/7?$action=purge', 'PUT /logs/7?action=purge', 'PUT /special/7?acl'],
    ['PUT /a', 'PUT /a?versioning', 'PUT /a/b', 'PUT /a/b?acl', 'PUT /logs/7', 'PUT /special/7?x'],
  );
});

test('a query does not change the decision for a service without such operations', async () => {
  const key = await keyForAll('plain', { '/things': { post: {} }, '/{a}-{b}': { get: {} } });
  await expectRefusedOnly('plain', key, [], ['POST /things?bulkDelete=true', 'POST /things?x=%']);
});

test('an operation that only its fragment distinguishes is skipped, with the key that is accepted for it as the reason', async () => {
  const service = 'fragments';
  const key = await keyForAll(service, {
    '/things': { post: {} },
    '/things#bulk': { post: { parameters: [{ name: 'page', in: 'query' }] } },
    '/users/{id}': { get: {} },
    '/users/me#private': { get: {} },
  });
  await expectRefusedOnly(service, key, ['GET /users/me'], ['POST /things', 'GET /users/7']);
  const { body } = await latchkey.admin.get<{ skipped: { path: string; reason: string }[] }>(`/v1/services/${service}`);
  expect(Object.fromEntries(body.skipped.map(({ path, reason }) => [path, reason]))).toEqual({
    '/things#bulk': 'no request has its fragment: a key for POST /things opens it too',
    '/users/me#private': 'no request has its fragment',
  });
});

test('an operation with a fragment is distinguished by the query parameters that it requires', async () => {
  const service = 'needing';
  const needs = (name: string): object => ({ name, in: 'query', required: true });
  const key = await keyForAll(service, {
    '/{bucket}': { put: { parameters: [needs('version')] }, get: {} },
    '/{bucket}#acl': { parameters: [needs('acl')], put: { parameters: [needs('version')] } },
  });
  await expectRefusedOnly(service, key, ['PUT /a?version=1&acl'], ['PUT /a?version=1', 'GET /a']);
});

test('the other operations of the path can still be granted, and the service gives the reason for the skipped one', async () => {
  const service = 'reasons';
  await keyForAll(service, { '/things': { post: {}, get: {} }, '/things?bulkDelete=true': { post: {} } });
  expect(names(await grantableOf(latchkey.admin, service))).toEqual(['GET /things', 'POST /things']);
  const { body } = await latchkey.admin.get<{ skipped: object[] }>(`/v1/services/${service}`);
  expect(body.skipped).toEqual([
    {
      method: 'POST',
      path: '/things?bulkDelete=true',
      reason: 'only its query distinguishes it from other operations, and keys ignore the query',
    },
  ]);
});

test('an operation that an older version stored is refused without a new registration', async () => {
  const service = 'older';
  const key = await keyForAll(service, { '/things': { post: {} }, '/x-{a}': { get: {} } });
  const stored = {
    method: 'POST',
    path: '/things?bulkDelete=true',
    reason: 'it has a character that paths cannot hold unescaped',
    pattern: [['things?bulkDelete=true']],
  };
  const skipped = JSON.stringify([stored]);
  await runSql(latchkey.database, `UPDATE services SET skipped = '${skipped}' WHERE service = '${service}'`);
  await runSql(latchkey.database, 'UPDATE catalogue_revision SET revision = revision + 1');
  await expectRefusedOnly(service, key, ['POST /things?bulkDelete=true'], ['POST /things']);
});
