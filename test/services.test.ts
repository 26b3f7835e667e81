import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { stringify } from 'yaml';
import { EndpointCatalogue } from '../src/access/endpoint-catalogue.js';
import type { Answer, ProblemBody } from './client.js';
import { createKey, type MadeKey } from './fixtures.js';
import { type Latchkey, startLatchkey } from './harness.js';
import { sendRaw } from './raw-http.js';

interface EndpointBody {
  method: string;
  path: string;
  scope: string;
  summary: string;
  tag: string;
  deprecated: boolean;
}

interface Difference {
  service: string;
  dryRun: boolean;
  endpointCount: number;
  added: EndpointBody[];
  removed: EndpointBody[];
  changed: (EndpointBody & { differences: { field: string; from: string; to: string }[] })[];
  skipped: { method: string; path: string; reason: string }[];
  affectedKeys: { totalResultSize: number; data: { id: number; name: string; hint: string }[] };
}

interface Service {
  service: string;
  name: string;
  description: string;
  applicationParameter: string;
  created: string;
  modified: string;
  endpointCount: number;
  skippedCount: number;
  endpoints: EndpointBody[];
  skipped: Difference['skipped'];
}

const { resolve } = createRequire(import.meta.url);
let latchkey: Latchkey;
beforeAll(async () => {
  latchkey = await startLatchkey();
});
afterAll(() => latchkey.close());

function put<Body = Difference>(
  service: string,
  openapi: unknown,
  more: Record<string, unknown> = {},
  query = '',
): Promise<Answer<Body>> {
  return latchkey.admin.put<Body>(`/v1/services/${service}${query}`, { name: service, openapi, ...more });
}

/** A document with these paths. */
function document(paths: unknown, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { openapi: '3.1.0', info: { title: 'Test', version: '1' }, paths, ...more };
}

function names(endpoints: readonly { method: string; path: string }[]): string[] {
  return endpoints.map(({ method, path }) => `${method} ${path}`).sort();
}

async function grantable(service: string, query = ''): Promise<EndpointBody[]> {
  const { body } = await latchkey.admin.get<{ totalResultSize: number; data: EndpointBody[] }>(
    `/v1/endpoints?service=${service}&pageSize=1000${query}`,
  );
  return body.data;
}

/** What became of the operations of a document. */
async function outcome(openapi: unknown): Promise<Record<string, string>> {
  const { status, body } = await put('probe', openapi, {}, '?dryRun=true');
  expect([status, body]).toMatchObject([200, { dryRun: true }]);
  return Object.fromEntries([
    ...body.added.map(({ method, path, scope }) => [`${method} ${path}`, scope]),
    ...body.skipped.map(({ method, path, reason }) => [`${method} ${path}`, reason]),
  ]) as Record<string, string>;
}

test('endpoints are listed in the order that is asked for, and page by page', async () => {
  const operation = { summary: 'x' };
  const paths = { '/b': { get: operation, delete: operation }, '/a': { post: operation } };
  for (const service of ['sorted-one', 'sorted-two']) {
    const openapi = { openapi: '3.1.0', info: { title: 'x', version: '1' }, paths };
    expect((await latchkey.admin.put(`/v1/services/${service}`, { name: service, openapi })).status).toBe(201);
  }
  const list = async (query: string): Promise<string[]> => {
    const { body } = await latchkey.admin.get<{ data: { service: string; method: string; path: string }[] }>(
      `/v1/endpoints?${query}`,
    );
    return body.data
      .filter(({ service }) => service.startsWith('sorted-'))
      .map(({ service, method, path }) => `${service} ${method} ${path}`);
  };
  const byService = ['one', 'two'].flatMap((service) =>
    ['POST /a', 'DELETE /b', 'GET /b'].map((endpoint) => `sorted-${service} ${endpoint}`),
  );
  expect(await list('pageSize=1000')).toEqual(byService);
  expect(await list('pageSize=1000&sort=service')).toEqual(byService);
  expect(await list('pageSize=1000&sort=-service')).toEqual(byService.toReversed());
  const byPath = [0, 3, 1, 2, 4, 5].map((place) => byService[place]!);
  expect(await list('pageSize=1000&sort=path')).toEqual(byPath);
  expect(await list('pageSize=1000&sort=-path')).toEqual(byPath.toReversed());
  expect((await list('pageSize=1000&sort=method')).slice(0, 2)).toEqual([byService[1], byService[4]]);
  const one = 'service=sorted-one&pageSize=1';
  expect([...(await list(`${one}&skip=0`)), ...(await list(`${one}&skip=2`))]).toEqual([byService[0], byService[2]]);
  expect((await latchkey.admin.get('/v1/endpoints?sort=summary')).status).toBe(400);
});

describe('real documents go in', () => {
  test("GitHub's whole description, within seconds", async () => {
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
      '/repos/{owner}/{repo}/contents/{path}': 'the parameter {path} may stand for more than one segment',
    });
    const found = await grantable('github', '&q=/app/installations/{installation_id}/access_tokens');
    expect(found).toMatchObject([
      { method: 'POST', path: '/app/installations/{installation_id}/access_tokens', scope: 'application', tag: 'apps' },
    ]);
    const again = await put('github', openapi, { applicationParameter: 'installation_id' });
    expect(again).toMatchObject({ status: 200, body: { added: [], removed: [], changed: [] } });
  });

  test('the Scalar Galaxy: 3.1, YAML, references to parameters', async () => {
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

  test("Rebilly's: 3.0, a megabyte of YAML, a path before all paths", async () => {
    const file = resolve('@redocly/openapi-core/package.json').replace(
      'package.json',
      'src/benchmark/benches/rebilly.yaml',
    );
    expect(existsSync(file)).toBe(true);
    const { status, body } = await put('rebilly', readFileSync(file, 'utf8'));
    expect(status).toBe(201);
    expect(body.endpointCount).toBeGreaterThan(300);
    // Some of its paths have a server of their own.
    expect(names(body.added).filter((name) => !/^[A-Z]+ \/(v2\.1|experimental)\//.test(name))).toEqual([]);
    expect(names(body.added)).toContain('GET /experimental/subscriptions/{subscriptionId}/summary-metrics');
  });

  test("Latchkey's own: the endpoints and their scopes are those of its catalogue", async () => {
    const { body: own } = await latchkey.nobody.get('/openapi.json');
    const { body } = await put('own', own);
    const declared = latchkey.get(EndpointCatalogue).own;
    const found = new Map(body.added.map((endpoint) => [`${endpoint.method} ${endpoint.path}`, endpoint]));
    for (const { method, path, scope, summary } of declared) {
      expect(found.get(`${method} ${path}`)).toMatchObject({ scope, summary });
    }
  });
});

describe('an operation becomes an endpoint', () => {
  test('with its first tag, its summary or what comes nearest, and whether it is deprecated', async () => {
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

  test('of application scope exactly if its path has the parameter that was named', async () => {
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
    ['none', undefined, '/x'],
    ['an empty list', [], '/x'],
    ['the root', [{ url: '/' }], '/x'],
    ['a relative path', [{ url: '/api/v1' }], '/api/v1/x'],
    ['a trailing slash', [{ url: '/api/v1/' }], '/api/v1/x'],
    ['a path without a slash', [{ url: 'api/v1' }], '/api/v1/x'],
    ['this very place', [{ url: './' }], '/x'],
    ['an address', [{ url: 'https://api.example.com' }], '/x'],
    ['an address with a path', [{ url: 'https://api.example.com/v1' }], '/v1/x'],
    ['an address without a scheme', [{ url: '//api.example.com/v1' }], '/v1/x'],
    ['several: the first counts', [{ url: '/first' }, { url: '/second' }], '/first/x'],
    [
      'variables, at their defaults',
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

  test('with the server of the operation before that of the path before that of the document', async () => {
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
    ['a variable that nothing sets', { url: '/{v}' }, 'the variable {v} of its server has no default'],
    ['a query', { url: '/v1?x=1' }, "its server's address has a query or a fragment"],
    ['no address', { url: 'https://[oops/' }, "its server's address is malformed"],
  ])('unless its server is elsewhere: %s', async (_name, server, reason) => {
    const openapi = document(
      { '/x': { get: { servers: [server] } }, '/y': { get: {} } },
      { servers: [{ url: 'https://api.example.com' }] },
    );
    expect(await outcome(openapi)).toEqual({ 'GET /x': reason, 'GET /y': 'account' });
  });

  test('unless no whole segments can match its path, and then the reason is told', async () => {
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
      'GET /files/{path+}': 'the parameter {path+} could stand for more or less than one segment',
      'GET /files/{+path}': 'the parameter {+path} could stand for more or less than one segment',
      'GET /a//b': 'it has an empty segment',
      'GET /a/../b': expect.any(String) as string,
      'GET /twice/{id}/{id}': 'it has the parameter {id} twice',
      'GET /multi/{rest}': 'the parameter {rest} may stand for more than one segment',
      'GET /referred/{rest}': 'the parameter {rest} may stand for more than one segment',
      'PUT /referred/{rest}': 'account',
      'GET /reserved/{rest}': 'the parameter {rest} may stand for more than one segment',
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

  test('through references within the document, of paths and parameters', async () => {
    const openapi = document(
      {
        '/a': { $ref: '#/components/pathItems/shared', post: {} },
        '/b~c/{id}': { $ref: '#/paths/~1a' },
        '/d': { $ref: '#/x-paths/0/with%20space' },
      },
      { components: { pathItems: { shared: { get: {} } } }, 'x-paths': [{ 'with space': { delete: {} } }] },
    );
    // A literal `~` is text.
    expect(Object.keys(await outcome(openapi)).sort()).toEqual(['DELETE /d', 'GET /a', 'GET /b~c/{id}', 'POST /a']);
  });

  test('from an object, from JSON and from YAML alike', async () => {
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

describe('a document that cannot be used is refused, and told where', () => {
  const cyclic = { a: { $ref: '#/components/parameters/b' }, b: { $ref: '#/components/parameters/a' } };
  const parameter = (reference: unknown): unknown => ({ '/x/{id}': { get: { parameters: [{ $ref: reference }] } } });
  const inSchema = (schema: unknown): Record<string, unknown> =>
    document({ '/x': { get: {} } }, { components: { schemas: { Pet: schema } } });

  test.each([
    ['a number', 7, '/openapi'],
    ['a list', [], '/openapi'],
    ['nothing', null, '/openapi'],
    ['an empty text', '', '/openapi'],
    ['a version that is not read here', { ...document({}), openapi: '3.2.0' }, '/openapi/openapi'],
    ['Swagger', { swagger: '2.0', paths: {} }, '/openapi/openapi'],
    ['no paths in 3.0', { openapi: '3.0.0' }, '/openapi/paths'],
    ['paths that are a list', document([]), '/openapi/paths'],
    ['a path that is a text', document({ '/x': 'get' }), '/openapi/paths/~1x'],
    ['an operation that is a list', document({ '/x': { get: [] } }), '/openapi/paths/~1x/get'],
    [
      'parameters that are none',
      document({ '/x/{id}': { get: { parameters: {} } } }),
      '/openapi/paths/~1x~1{id}/get/parameters',
    ],
    ['servers that are none', document({}, { servers: {} }), '/openapi/servers'],
    ['a server without an address', document({}, { servers: [{}] }), '/openapi/servers/0'],
    [
      'a reference to nothing',
      document(parameter('#/components/parameters/none')),
      '/openapi/paths/~1x~1{id}/get/parameters/0',
    ],
    ['a reference to a prototype', document(parameter('#/constructor')), '/openapi/paths/~1x~1{id}/get/parameters/0'],
    ['a reference that is no pointer', document(parameter('#anchor')), '/openapi/paths/~1x~1{id}/get/parameters/0'],
    ['a reference that is badly encoded', document(parameter('#/%zz')), '/openapi/paths/~1x~1{id}/get/parameters/0'],
    ['a reference that is a number', document(parameter(7)), '/openapi/paths/~1x~1{id}/get/parameters/0'],
    [
      'references in a circle',
      document(parameter('#/components/parameters/a'), { components: { parameters: cyclic } }),
      '/openapi/paths/~1x~1{id}/get/parameters/0',
    ],
    ['another file', document({ '/x': { $ref: './paths/x.yaml' } }), '/openapi/paths/~1x'],
    ['an address', document(parameter('http://169.254.169.254/latest')), '/openapi/paths/~1x~1{id}/get/parameters/0'],
    [
      'another file, deep in a schema',
      inSchema({ properties: { a: { items: { $ref: 'pets.yaml#/Pet' } } } }),
      '/openapi/components/schemas/Pet/properties/a/items',
    ],
    ['YAML with a fault', 'openapi: 3.1.0\npaths: {\n', '/openapi'],
    ['YAML with a key twice', 'openapi: 3.1.0\npaths: {}\npaths: {}\n', '/openapi'],
    ['YAML with an alias of nothing', 'openapi: 3.1.0\npaths: *nothing\n', '/openapi'],
    ['YAML in two documents', 'openapi: 3.1.0\n---\nopenapi: 3.1.0\n', '/openapi'],
    ['YAML without end', '['.repeat(200_000), '/openapi'],
  ])('%s', async (_name, openapi, pointer) => {
    const { status, body } = await put<ProblemBody>('refused', openapi);
    expect([status, body.code, body.errors?.map((error) => error.pointer)]).toEqual([
      400,
      'openapi-invalid',
      [pointer],
    ]);
    expect((await latchkey.admin.get('/v1/services/refused')).status).toBe(404);
  });

  test('YAML whose aliases grow without end', async () => {
    const levels = 'abcdefghi'.split('').map((name, index, all) => {
      const inner = index === 0 ? '"lol"' : `*${all[index - 1]}`;
      return `${name}: &${name} [${Array.from({ length: 10 }, () => inner).join(', ')}]`;
    });
    const { status, body } = await put<ProblemBody>('refused', `openapi: 3.1.0\n${levels.join('\n')}\npaths: {}\n`);
    expect([status, body.code]).toEqual([400, 'openapi-invalid']);
    expect(body.detail).toContain('aliases');
  });

  test('more operations than a service can have', async () => {
    const paths = (count: number): unknown =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`/p${index}`, { get: {} }]));
    const { status, body } = await put<ProblemBody>('refused', document(paths(20_001)));
    expect([status, body.code]).toEqual([400, 'openapi-invalid']);
  });

  test('paths of more segments in all than are kept ready for decisions', async () => {
    const deep = (count: number): unknown =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`/p${index}${'/x'.repeat(199)}`, { get: {} }]));
    const { status, body } = await put<ProblemBody>('refused', document(deep(1001)));
    expect([status, body.code, body.errors?.map(({ pointer }) => pointer)]).toEqual([
      400,
      'openapi-invalid',
      ['/openapi/paths'],
    ]);
    expect((await put('refused', document(deep(1000)), {}, '?dryRun=true')).body).toMatchObject({
      endpointCount: 1000,
    });
  });

  test('what only looks like a reference is data', async () => {
    const schema = {
      properties: { $ref: { type: 'string' }, other: { $ref: '#/components/schemas/Pet' } },
      example: { $ref: 'pets.yaml' },
      default: { $ref: 'pets.yaml' },
      'x-extension': { $ref: 'pets.yaml' },
    };
    expect(await outcome(inSchema(schema))).toEqual({ 'GET /x': 'account' });
  });

  test('names of prototypes are names', async () => {
    const text =
      '{"openapi":"3.1.0","__proto__":{"paths":{"/evil":{"get":{}}}},"paths":{"/constructor":{"get":{}},"/__proto__":{"get":{}}}}';
    const names = ['GET /__proto__', 'GET /constructor'];
    expect(Object.keys(await outcome(text)).sort()).toEqual(names);
    expect(Object.keys(await outcome(stringify(JSON.parse(text)))).sort()).toEqual(names);
  });

  test('two operations that no request can tell apart are a conflict, all of them listed', async () => {
    const { status, body } = await put<ProblemBody>(
      'refused',
      document({
        '/users/{id}': { get: {}, put: {} },
        '/users/{name}': { get: {}, put: {}, post: {} },
        '/v1/x': { get: {} },
        '/x': { servers: [{ url: '/v1' }], get: {} },
      }),
    );
    expect([status, body.code]).toEqual([409, 'service-conflict']);
    expect(body.errors).toEqual(
      [
        {
          pointer: '/openapi/paths/~1users~1{name}/get',
          detail: 'GET /users/{name} and GET /users/{id} are one endpoint',
        },
        {
          pointer: '/openapi/paths/~1users~1{name}/put',
          detail: 'PUT /users/{name} and PUT /users/{id} are one endpoint',
        },
        { pointer: '/openapi/paths/~1x/get', detail: 'GET /v1/x and GET /v1/x are one endpoint' },
      ].sort((one, other) => (one.pointer < other.pointer ? -1 : 1)),
    );
  });
});

describe('a request that cannot be used is refused', () => {
  const send = (body: unknown, headers?: Record<string, string>): Promise<Answer<ProblemBody>> =>
    latchkey.admin.send<ProblemBody>('PUT', '/v1/services/refused', body, headers);
  const good = { name: 'Good', openapi: document({}) };

  test('with every fault', async () => {
    const { status, body } = await send({
      name: ' ',
      description: 7,
      applicationParameter: '{id}',
      owner: 'me',
      openapi: document({}),
    });
    expect([status, body.code]).toEqual([400, 'validation-failed']);
    expect(new Set(body.errors?.map(({ pointer }) => pointer))).toEqual(
      new Set(['/name', '/description', '/applicationParameter', '/owner']),
    );
  });

  test.each([
    ['no name', { openapi: document({}) }, 'validation-failed'],
    ['no document', { name: 'x' }, 'validation-failed'],
    ['a NUL in the description', { ...good, description: 'a\0b' }, 'validation-failed'],
    ['a list', [], 'json-malformed'],
    ['no body', undefined, 'body-missing'],
  ])('%s', async (_name, sent, code) => {
    expect((await send(sent)).body.code).toBe(code);
  });

  test('what is not JSON, not UTF-8, or too large', async () => {
    const json = { 'content-type': 'application/json' };
    expect((await send('{', json)).body.code).toBe('json-malformed');
    expect((await send(Buffer.from('{"name":"\xff"}', 'latin1'), json)).body.code).toBe('json-malformed');
    expect((await send('openapi: 3.1.0', { 'content-type': 'application/yaml' })).status).toBe(415);
    const tooLarge = Buffer.alloc(30 * 1024 * 1024 + 1, ' ');
    expect((await send(tooLarge, json)).status).toBe(413);
    const large = JSON.stringify({ ...good, openapi: document({}, { 'x-filler': 'x'.repeat(29 * 1024 * 1024) }) });
    expect((await send(large, json)).status).toBe(201);
    expect((await latchkey.admin.delete('/v1/services/refused')).status).toBe(204);
  });

  test.each(['management', 'A', 'a', '1a', 'billing_service', 'Billing', `a${'b'.repeat(41)}`, '%C3%A4b'])(
    'for a service called %s',
    async (service) => {
      const { status, body } = await put<ProblemBody>(service, document({}));
      expect([status, body.code, body.errors]).toMatchObject([400, 'validation-failed', [{ parameter: 'service' }]]);
      expect((await latchkey.admin.get(`/v1/services/${service}`)).status).toBe(404);
      expect((await latchkey.admin.delete(`/v1/services/${service}`)).status).toBe(404);
    },
  );
});

describe('registering a service again', () => {
  const before = document({
    '/stays': { get: { summary: 'Stays' } },
    '/goes': { get: {} },
    '/turns/{applicationId}': { get: { summary: 'Turns', tags: ['A'] } },
    '/renamed/{id}': { get: {} },
  });
  const after = document({
    '/stays': { get: { summary: 'Stays' } },
    '/turns/{applicationId}': { get: { summary: 'Turned', tags: ['B'], deprecated: true } },
    '/renamed/{name}': { get: {} },
    '/comes': { post: {} },
  });

  test('answers the difference, and does nothing if it is a dry run', async () => {
    const service = 'differing';
    expect((await put(service, before, {}, '?dryRun=true')).body).toMatchObject({ dryRun: true, endpointCount: 4 });
    expect((await latchkey.admin.get(`/v1/services/${service}`)).status).toBe(404);
    expect(await put(service, before)).toMatchObject({ status: 201, body: { dryRun: false, endpointCount: 4 } });
    const dry = await put(service, after, {}, '?dryRun=true');
    expect(names(await grantable(service))).toEqual([
      'GET /goes',
      'GET /renamed/{id}',
      'GET /stays',
      'GET /turns/{applicationId}',
    ]);
    const done = await put(service, after);
    expect(done.status).toBe(200);
    expect(done.body).toEqual({ ...dry.body, dryRun: false });
    expect(names(done.body.added)).toEqual(['GET /renamed/{name}', 'POST /comes']);
    expect(names(done.body.removed)).toEqual(['GET /goes', 'GET /renamed/{id}']);
    expect(done.body.changed).toEqual([
      {
        method: 'GET',
        path: '/turns/{applicationId}',
        scope: 'application',
        summary: 'Turned',
        tag: 'B',
        deprecated: true,
        differences: [
          { field: 'summary', from: 'Turns', to: 'Turned' },
          { field: 'tag', from: 'A', to: 'B' },
          { field: 'deprecated', from: 'false', to: 'true' },
        ],
      },
    ]);
    expect(names(await grantable(service))).toEqual([
      'GET /renamed/{name}',
      'GET /stays',
      'GET /turns/{applicationId}',
      'POST /comes',
    ]);
    const rescoped = await put(service, after, { applicationParameter: 'name' });
    expect(rescoped.body.changed.map(({ path, differences }) => [path, differences])).toEqual([
      ['/turns/{applicationId}', [{ field: 'scope', from: 'application', to: 'account' }]],
      ['/renamed/{name}', [{ field: 'scope', from: 'account', to: 'application' }]],
    ]);
  });

  test('tells how many keys it affects, and the first hundred of them', async () => {
    const service = 'affecting';
    await put(service, before);
    const holders = await Promise.all(
      Array.from({ length: 102 }, (_, index) =>
        createKey(latchkey.admin, { name: `Holder ${index}`, endpoints: [{ service, method: 'GET', path: '/goes' }] }),
      ),
    );
    await createKey(latchkey.admin, { endpoints: [{ service, method: 'GET', path: '/stays' }] });
    const both = await createKey(latchkey.admin, {
      endpoints: [
        { service, method: 'GET', path: '/goes' },
        { service, method: 'GET', path: '/turns/{applicationId}' },
      ],
    });
    const ids = [...holders, both].map(({ id }) => id).sort((one, other) => one - other);
    const { body } = await put(service, after, {}, '?dryRun=true');
    expect(body.affectedKeys.totalResultSize).toBe(103);
    expect(body.affectedKeys.data.map(({ id }) => id)).toEqual(ids.slice(0, 100));
    const [first] = body.affectedKeys.data;
    const made = [...holders, both].find(({ id }) => id === first!.id)!;
    expect(first).toEqual({ id: made.id, name: made.name, hint: made.hint });
    expect((await put(service, before)).body.affectedKeys).toEqual({ totalResultSize: 0, data: [] });
  });

  test('with the same document changes nothing and records nothing', async () => {
    const service = 'same';
    await put(service, before);
    const read = async (): Promise<[Service, number]> => [
      (await latchkey.admin.get<Service>(`/v1/services/${service}`)).body,
      (await latchkey.admin.get<{ data: unknown[] }>('/v1/changes?pageSize=1000')).body.data.length,
    ];
    const unchanged = await read();
    latchkey.clock.advance(60_000);
    expect((await put(service, before)).body).toMatchObject({ added: [], removed: [], changed: [] });
    expect(await read()).toEqual(unchanged);
    await put(service, before, { description: 'New' });
    const [changed, changes] = await read();
    expect(changed).toMatchObject({ description: 'New', created: unchanged[0].created });
    expect(changed.modified > unchanged[0].modified).toBe(true);
    expect(changes).toBe(unchanged[1] + 1);
  });

  test('at the same time leaves one of the documents, whole', async () => {
    const service = 'racing';
    const documents = Array.from({ length: 6 }, (_, index) =>
      document(Object.fromEntries(Array.from({ length: 50 }, (_entry, path) => [`/p${path}/d${index}`, { get: {} }]))),
    );
    const answers = await Promise.all(documents.map((each) => put(service, each)));
    const served = answers.filter(({ status }) => status < 300);
    expect(served.length).toBeGreaterThan(0);
    // What was not served was told to come back.
    expect(answers.every(({ status }) => [200, 201, 503].includes(status))).toBe(true);
    const endpoints = await grantable(service);
    expect(endpoints).toHaveLength(50);
    expect(new Set(endpoints.map(({ path }) => path.split('/')[2])).size).toBe(1);
  });

  test('takes a grant away and gives it back, by METHOD and path', async () => {
    const service = 'returning';
    await put(service, before);
    const key = await createKey(latchkey.admin, {
      endpoints: [{ service, method: 'GET', path: '/renamed/{id}' }],
    });
    const ask = async (): Promise<number> =>
      (
        await sendRaw(latchkey.url, 'GET', `/v1/forward_auth/envoy/${service}/renamed/7`, [
          ['Authorization', `ManagementKey-v1 ${key.key}`],
        ])
      ).status;
    const gone = async (): Promise<boolean[]> =>
      (await latchkey.admin.get<MadeKey>(`/v1/api_keys/${key.id}`)).body.endpoints.map((endpoint) => endpoint.gone);
    expect([await ask(), await gone()]).toEqual([200, [false]]);
    // The admin granted what was called {id}.
    await put(service, after);
    expect([await ask(), await gone()]).toEqual([403, [true]]);
    await put(service, before);
    expect([await ask(), await gone()]).toEqual([200, [false]]);
    const removed = await latchkey.admin.delete(`/v1/services/${service}`);
    expect(removed.headers.get('x-keys-affected')).toBe('1');
    expect([await ask(), await gone()]).toEqual([403, [true]]);
    await put(service, before);
    expect([await ask(), await gone()]).toEqual([200, [false]]);
  });
});

describe('services', () => {
  test('are listed, shown and removed', async () => {
    const openapi = document({ '/x': { get: {} }, '/{a}{b}': { get: {} } });
    await put('zz-last', openapi, { name: 'Alpha', description: 'What it is for' });
    await put('aa-first', openapi, { name: 'Zulu' });
    const list = (query: string): Promise<Answer<{ totalResultSize: number; data: Service[] }>> =>
      latchkey.admin.get(`/v1/services?${query}`);
    const { body } = await list('pageSize=1');
    expect(body.data.map(({ service }) => service)).toEqual(['aa-first']);
    expect(body.totalResultSize).toBeGreaterThanOrEqual(2);
    expect((await list('sort=-service&pageSize=1')).body.data).toEqual([
      {
        service: 'zz-last',
        name: 'Alpha',
        description: 'What it is for',
        applicationParameter: 'applicationId',
        created: expect.stringMatching(/^2026-11-23T/) as string,
        modified: expect.stringMatching(/^2026-11-23T/) as string,
        endpointCount: 1,
        skippedCount: 1,
      },
    ]);
    expect((await list('sort=name&pageSize=1')).body.data[0]!.name).toBe('Alpha');
    const { body: shown } = await latchkey.admin.get<Service>('/v1/services/zz-last');
    expect(shown).toMatchObject({
      endpointCount: 1,
      endpoints: [{ method: 'GET', path: '/x' }],
      skipped: [{ method: 'GET', path: '/{a}{b}', reason: 'the segment "{a}{b}" is only partly a parameter' }],
    });
    expect((await latchkey.admin.delete('/v1/services/zz-last')).status).toBe(204);
    expect((await latchkey.admin.get('/v1/services/zz-last')).status).toBe(404);
    expect(await grantable('zz-last')).toEqual([]);
    expect((await list('sort=endpointCount')).status).toBe(400);
  });

  test('and their changes are in the audit trail, which keys do not see', async () => {
    const service = 'audited';
    await put(service, document({ '/a': { get: {} }, '/b': { get: {} } }));
    await put(service, document({ '/b': { get: { summary: 'B' } }, '/c': { get: {} } }));
    await latchkey.admin.delete(`/v1/services/${service}`);
    const { body } = await latchkey.admin.get<{
      data: { entity: string; old?: object; new?: object; userId: number }[];
    }>('/v1/changes?pageSize=1000&includeOld=true');
    const entries = body.data.filter(({ entity }) => entity.endsWith(`/v1/services/${service}`));
    expect(entries.map(({ entity }) => entity).sort()).toEqual([
      `DELETE /v1/services/${service}`,
      `PUT /v1/services/${service}`,
      `PUT /v1/services/${service}`,
    ]);
    const again = entries.find((entry) => entry.entity.startsWith('PUT') && entry.old)!;
    expect(again).toMatchObject({
      userId: 1,
      old: { service, endpointCount: 2 },
      new: {
        endpointCount: 2,
        added: { count: 1, first: ['GET /c'] },
        removed: { count: 1, first: ['GET /a'] },
        changed: { count: 1, first: ['GET /b'] },
      },
    });
    const key = await createKey(latchkey.admin, { endpoints: [{ method: 'GET', path: '/v1/changes' }] });
    const { body: seen } = await latchkey
      .as(`ManagementKey-v1 ${key.key}`)
      .get<{ data: { entity: string }[] }>('/v1/changes?pageSize=1000');
    expect(seen.data.filter(({ entity }) => entity.includes('/v1/services/'))).toEqual([]);
  });
});
