import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { stringify } from 'yaml';
import { EndpointCatalogue } from '../../src/access/endpoint-catalogue.js';
import { document, names, type Service, startServices } from './service-fixtures.js';
import { readWithoutThread } from '../support/without-thread.js';

const { resolve } = createRequire(import.meta.url);
const { latchkey, put, grantable, outcome } = await startServices();
afterAll(() => latchkey.close());

describe('a real document is accepted', () => {
  test("GitHub's complete API, within seconds", async () => {
    const openapi = JSON.parse(readFileSync(resolve('@octokit/openapi/generated/api.github.com.json'), 'utf8')) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const operations = Object.values(openapi.paths).reduce((sum, item) => sum + Object.keys(item).length, 0);
    const started = performance.now();
    const { status, body } = await put('github', openapi, { applicationParameter: 'installation_id' });
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(status).toBe(201);
    expect(body.endpointCount + body.skipped.length).toBe(operations);
    expect(body.endpointCount).toBeGreaterThan(1000);
    const reasons = Object.fromEntries(body.skipped.map(({ path, reason }) => [path, reason]));
    expect(reasons).toMatchObject({
      '/repos/{owner}/{repo}/compare/{base}...{head}': 'the segment "{base}...{head}" is only partly a parameter',
      '/repos/{owner}/{repo}/releases/{release_id}/assets': 'it is on another origin, https://uploads.github.com',
      '/repos/{owner}/{repo}/contents/{path}': 'the parameter {path} may match more than one segment',
    });
    const found = await grantable('github', '&q=/app/installations/{installation_id}/access_tokens');
    expect(found).toMatchObject([
      { method: 'POST', path: '/app/installations/{installation_id}/access_tokens', scope: 'application', tag: 'apps' },
    ]);
    const again = await put('github', openapi, { applicationParameter: 'installation_id' });
    expect(again).toMatchObject({ status: 200, body: { added: [], removed: [], changed: [] } });
  });

  test('Scalar Galaxy: OpenAPI 3.1 in YAML, with references to parameters', async () => {
    const text = readFileSync(resolve('@scalar/galaxy/latest.yaml'), 'utf8');
    const { status, body } = await put('galaxy', text, { applicationParameter: 'planetId' });
    expect(status).toBe(201);
    expect(body.skipped).toEqual([]);
    expect(names(body.added)).toEqual(
      expect.arrayContaining(['GET /planets', 'POST /planets', 'DELETE /planets/{planetId}', 'POST /user/signup']),
    );
    const planet = body.added.find(({ method, path }) => method === 'GET' && path === '/planets/{planetId}');
    expect(planet).toMatchObject({ scope: 'application', summary: 'Get a planet', tag: 'Planets' });
  });

  test('Rebilly: OpenAPI 3.0 in a megabyte of YAML, with a path in its server URL', async () => {
    const file = resolve('@redocly/openapi-core/package.json').replace(
      'package.json',
      'src/benchmark/benches/rebilly.yaml',
    );
    expect(existsSync(file)).toBe(true);
    const { status, body } = await put('rebilly', readFileSync(file, 'utf8'));
    expect(status).toBe(201);
    expect(body.endpointCount).toBeGreaterThan(300);
    // Some of its paths have their own server.
    expect(names(body.added).filter((name) => !/^[A-Z]+ \/(v2\.1|experimental)\//.test(name))).toEqual([]);
    expect(names(body.added)).toContain('GET /experimental/subscriptions/{subscriptionId}/summary-metrics');
  });

  test("Latchkey's own, with the endpoints and scopes of its catalogue", async () => {
    const { body: own } = await latchkey.anonymous.get('/openapi.json');
    const { body } = await put('own', own);
    const declared = latchkey.get(EndpointCatalogue).own;
    const found = new Map(body.added.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint]));
    for (const { method, path, scope, summary } of declared) {
      expect(found.get(`${method} ${path}`)).toMatchObject({ scope, summary });
    }
  });
});

describe('an operation becomes an endpoint', () => {
  let restoreThread: () => void;
  beforeAll(() => {
    restoreThread = readWithoutThread(latchkey);
  });
  afterAll(() => restoreThread());

  test('with its first tag, its summary or the closest substitute, and its deprecation', async () => {
    await put(
      'details',
      document({
        '/a': {
          summary: 'Of the path',
          get: { summary: ' Says it\0 ', tags: ['First', 'Second'], deprecated: true },
          post: { description: 'Long' },
        },
        '/b': { get: { operationId: 'getB', deprecated: 'yes', tags: [] }, put: {} },
      }),
    );
    const { body } = await latchkey.admin.get<Service>('/v1/services/details');
    expect(body.endpoints).toEqual([
      { method: 'GET', path: '/a', scope: 'account', summary: 'Says it', tag: 'First', deprecated: true },
      { method: 'POST', path: '/a', scope: 'account', summary: 'Of the path', tag: '', deprecated: false },
      { method: 'GET', path: '/b', scope: 'account', summary: 'getB', tag: '', deprecated: false },
      { method: 'PUT', path: '/b', scope: 'account', summary: '', tag: '', deprecated: false },
    ]);
  });

  test('of application scope exactly if its path has the Application parameter of the service', async () => {
    const paths = { '/a/{applicationId}': { get: {} }, '/a/{shop}/b/{id}': { get: {} }, '/applicationId': { get: {} } };
    const { body: named } = await put('scopes', document(paths), { applicationParameter: 'shop' }, '?dryRun=true');
    expect(named.added.map(({ path, scope }) => [path, scope])).toEqual([
      ['/a/{applicationId}', 'account'],
      ['/a/{shop}/b/{id}', 'application'],
      ['/applicationId', 'account'],
    ]);
    expect(await outcome(document(paths))).toMatchObject({
      'GET /a/{applicationId}': 'application',
      'GET /a/{shop}/b/{id}': 'account',
    });
  });

  test.each([
    ['no servers', undefined, '/x'],
    ['an empty list', [], '/x'],
    ['the root', [{ url: '/' }], '/x'],
    ['a relative path', [{ url: '/api/v1' }], '/api/v1/x'],
    ['a trailing slash', [{ url: '/api/v1/' }], '/api/v1/x'],
    ['a path without a slash', [{ url: 'api/v1' }], '/api/v1/x'],
    ['the current folder', [{ url: './' }], '/x'],
    ['an address', [{ url: 'https://api.example.com' }], '/x'],
    ['an address with a path', [{ url: 'https://api.example.com/v1' }], '/v1/x'],
    ['an address without a scheme', [{ url: '//api.example.com/v1' }], '/v1/x'],
    ['the first of several', [{ url: '/first' }, { url: '/second' }], '/first/x'],
    [
      'variables with defaults',
      [
        {
          url: '{scheme}://{host}:{port}/{base}',
          variables: {
            scheme: { enum: ['http', 'https'], default: 'https' },
            host: { default: 'example.com' },
            port: { default: 8443 },
            base: { default: 'v2' },
          },
        },
      ],
      '/v2/x',
    ],
  ])('below the path of its server: %s', async (_name, servers, path) => {
    expect(await outcome(document({ '/x': { get: {} } }, { servers }))).toEqual({ [`GET ${path}`]: 'account' });
  });

  test('with the server of the operation, otherwise of the path, otherwise of the document', async () => {
    const openapi = document(
      {
        '/x': {
          servers: [{ url: '/path' }],
          get: {},
          put: { servers: [{ url: '/operation' }] },
          post: { servers: [] },
          delete: { servers: [{ url: 'https://API.example.com:443/same' }] },
        },
        '/y': { get: {} },
      },
      { servers: [{ url: 'https://api.example.com/document' }] },
    );
    expect(Object.keys(await outcome(openapi)).sort()).toEqual([
      'DELETE /same/x',
      'GET /document/y',
      'GET /path/x',
      'POST /path/x',
      'PUT /operation/x',
    ]);
  });

  test.each([
    ['another host', { url: 'https://uploads.example.com' }, 'it is on another origin, https://uploads.example.com'],
    ['another scheme', { url: 'http://api.example.com' }, 'it is on another origin, http://api.example.com'],
    ['another port', { url: 'https://api.example.com:8443' }, 'it is on another origin, https://api.example.com:8443'],
    ['a variable without a default', { url: '/{v}' }, 'the variable {v} of its server has no default'],
    ['a query', { url: '/v1?x=1' }, "its server's address has a query or a fragment"],
    ['a malformed address', { url: 'https://[oops/' }, "its server's address is malformed"],
  ])('unless its server cannot be used: %s', async (_name, server, reason) => {
    const openapi = document(
      { '/x': { get: { servers: [server] } }, '/y': { get: {} } },
      { servers: [{ url: 'https://api.example.com' }] },
    );
    expect(await outcome(openapi)).toEqual({ 'GET /x': reason, 'GET /y': 'account' });
  });

  test('unless its path cannot be matched by whole segments, which the response explains', async () => {
    const parameters = (parameter: Record<string, unknown>): unknown => ({
      get: { parameters: [{ in: 'path', required: true, ...parameter }] },
    });
    const results = await outcome(
      document(
        {
          '/compare/{base}...{head}': { get: {} },
          '/files/{path+}': { get: {} },
          '/files/{+path}': { get: {} },
          '/a//b': { get: {} },
          '/a/../b': { get: {} },
          '/gr%C3%B6%C3%9Fe': { get: {} },
          '/größe': { get: {} },
          '/a;b': { get: {} },
          '/twice/{id}/{id}': { get: {} },
          '/multi/{rest}': parameters({ name: 'rest', 'x-multi-segment': true }),
          '/referred/{rest}': {
            parameters: [{ $ref: '#/components/parameters/rest' }],
            get: {},
            put: { parameters: [{ in: 'path', name: 'rest' }] },
          },
          '/reserved/{rest}': parameters({ name: 'rest', allowReserved: true }),
          '/matrix/{id}': parameters({ name: 'id', style: 'matrix' }),
          '/label/{id}': parameters({ name: 'id', style: 'label' }),
          '/query/{id}': { get: { parameters: [{ in: 'query', name: 'id', 'x-multi-segment': true }] } },
          '/v1/operations/{id}:cancel': { post: {} },
          '/v1/operations:list': { post: {} },
          '/a(b)/*': { get: {} },
          '/trailing/': { get: {} },
          [`/long/${'x'.repeat(600)}`]: { get: {} },
          'no/slash': { get: {} },
          'x-extension': { get: {} },
        },
        {
          components: {
            parameters: {
              rest: { $ref: '#/components/parameters/actual' },
              actual: { in: 'path', name: 'rest', 'x-multi-segment': true },
            },
          },
        },
      ),
    );
    const long = Object.keys(results).find((name) => name.startsWith('GET /long/'))!;
    const reasonOfLong = results[long];
    delete results[long];
    expect(reasonOfLong).toBe('it is longer than 512 characters');
    expect(results).toMatchObject({
      'GET /compare/{base}...{head}': 'the segment "{base}...{head}" is only partly a parameter',
      'GET /files/{path+}': 'the parameter {path+} could match more or less than one segment',
      'GET /files/{+path}': 'the parameter {+path} could match more or less than one segment',
      'GET /a//b': 'it has an empty segment',
      'GET /a/../b': expect.any(String) as string,
      'GET /twice/{id}/{id}': 'it has the parameter {id} twice',
      'GET /multi/{rest}': 'the parameter {rest} may match more than one segment',
      'GET /referred/{rest}': 'the parameter {rest} may match more than one segment',
      'PUT /referred/{rest}': 'account',
      'GET /reserved/{rest}': 'the parameter {rest} may match more than one segment',
      'GET /matrix/{id}': 'the parameter {id} is written in the style "matrix", which is more than its value',
      'GET /label/{id}': 'the parameter {id} is written in the style "label", which is more than its value',
      'GET /query/{id}': 'account',
      'POST /v1/operations/{id}:cancel': 'the segment "{id}:cancel" is only partly a parameter',
      'POST /v1/operations:list': 'account',
      'GET /a(b)/*': 'account',
      'GET /trailing/': 'account',
      'GET no/slash': 'it does not start with "/"',
    });
    for (const name of ['GET /gr%C3%B6%C3%9Fe', 'GET /größe', 'GET /a;b']) {
      expect(results[name]).toContain('a character that paths cannot hold unescaped');
    }
    expect(Object.keys(results)).toHaveLength(21);
  });

  test('if its path or parameters are references within the document', async () => {
    const openapi = document(
      {
        '/a': { $ref: '#/components/pathItems/shared', post: {} },
        '/b~c/{id}': { $ref: '#/paths/~1a' },
        '/d': { $ref: '#/x-paths/0/with%20space' },
      },
      { components: { pathItems: { shared: { get: {} } } }, 'x-paths': [{ 'with space': { delete: {} } }] },
    );
    // A literal `~` is ordinary text.
    expect(Object.keys(await outcome(openapi)).sort()).toEqual(['DELETE /d', 'GET /a', 'GET /b~c/{id}', 'POST /a']);
  });

  test('in the same way from an object, from JSON and from YAML', async () => {
    const openapi = document({ '/x/{applicationId}': { get: { summary: 'ö', tags: ['T'] } } });
    const expected = await outcome(openapi);
    expect(await outcome(JSON.stringify(openapi))).toEqual(expected);
    expect(await outcome(stringify(openapi))).toEqual(expected);
    expect(await outcome(`---\n${stringify(openapi)}`)).toEqual(expected);
    const anchored = `openapi: 3.0.3
paths:
  /a: &shared
    get: &operation { summary: Shared }
  /b: *shared
  /c:
    put:
      <<: *operation
      deprecated: true
`;
    expect(await outcome(anchored)).toEqual({ 'GET /a': 'account', 'GET /b': 'account', 'PUT /c': 'account' });
  });
});
