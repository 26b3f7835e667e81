import { stringify } from 'yaml';
import type { Answer, ProblemBody } from '../support/client.js';
import { document, startServices } from './service-fixtures.js';
import { size } from '../support/size.js';
import { readWithoutThread } from '../support/without-thread.js';

const { latchkey, put, outcome } = await startServices();
afterAll(() => latchkey.close());

describe('an OpenAPI document', () => {
  const cyclic = { a: { $ref: '#/components/parameters/b' }, b: { $ref: '#/components/parameters/a' } };
  const parameter = (reference: unknown): unknown => ({ '/x/{id}': { get: { parameters: [{ $ref: reference }] } } });
  const inSchema = (schema: unknown): Record<string, unknown> =>
    document({ '/x': { get: {} } }, { components: { schemas: { Pet: schema } } });

  test.each([
    ['a number', 7, '/openapi'],
    ['a list', [], '/openapi'],
    ['nothing', null, '/openapi'],
    ['an empty text', '', '/openapi'],
    ['an unsupported version', { ...document({}), openapi: '3.2.0' }, '/openapi/openapi'],
    ['Swagger 2.0', { swagger: '2.0', paths: {} }, '/openapi/openapi'],
    ['no paths in 3.0', { openapi: '3.0.0' }, '/openapi/paths'],
    ['a list of paths', document([]), '/openapi/paths'],
    ['a path that is a text', document({ '/x': 'get' }), '/openapi/paths/~1x'],
    ['an operation that is a list', document({ '/x': { get: [] } }), '/openapi/paths/~1x/get'],
    [
      'parameters that are not a list',
      document({ '/x/{id}': { get: { parameters: {} } } }),
      '/openapi/paths/~1x~1{id}/get/parameters',
    ],
    ['servers that are not a list', document({}, { servers: {} }), '/openapi/servers'],
    ['a server without an address', document({}, { servers: [{}] }), '/openapi/servers/0'],
    [
      'a reference to nothing',
      document(parameter('#/components/parameters/none')),
      '/openapi/paths/~1x~1{id}/get/parameters/0',
    ],
    ['a reference to a prototype', document(parameter('#/constructor')), '/openapi/paths/~1x~1{id}/get/parameters/0'],
    ['a reference that is not a pointer', document(parameter('#anchor')), '/openapi/paths/~1x~1{id}/get/parameters/0'],
    ['a reference that is badly encoded', document(parameter('#/%zz')), '/openapi/paths/~1x~1{id}/get/parameters/0'],
    ['a reference that is a number', document(parameter(7)), '/openapi/paths/~1x~1{id}/get/parameters/0'],
    [
      'circular references',
      document(parameter('#/components/parameters/a'), { components: { parameters: cyclic } }),
      '/openapi/paths/~1x~1{id}/get/parameters/0',
    ],
    ['a reference to another file', document({ '/x': { $ref: './paths/x.yaml' } }), '/openapi/paths/~1x'],
    [
      'a reference to a URL',
      document(parameter('http://169.254.169.254/latest')),
      '/openapi/paths/~1x~1{id}/get/parameters/0',
    ],
    [
      'a reference to another file, deep in a schema',
      inSchema({ properties: { a: { items: { $ref: 'pets.yaml#/Pet' } } } }),
      '/openapi/components/schemas/Pet/properties/a/items',
    ],
    ['malformed YAML', 'openapi: 3.1.0\npaths: {\n', '/openapi'],
    ['YAML with a duplicate key', 'openapi: 3.1.0\npaths: {}\npaths: {}\n', '/openapi'],
    ['YAML with an unknown alias', 'openapi: 3.1.0\npaths: *nothing\n', '/openapi'],
    ['two YAML documents', 'openapi: 3.1.0\n---\nopenapi: 3.1.0\n', '/openapi'],
  ])('is refused with a pointer to the fault: %s', async (_name, openapi, pointer) => {
    const restoreThread = readWithoutThread(latchkey);
    const { status, body } = await put<ProblemBody>('refused', openapi).finally(restoreThread);
    expect([status, body.code, body.errors?.map((error) => error.pointer)]).toEqual([
      400,
      'openapi-invalid',
      [pointer],
    ]);
    expect((await latchkey.admin.get('/v1/services/refused')).status).toBe(404);
  });

  test.each(['[', '{a: ', '- ', '? '])('is refused as YAML nested thousands of levels deep: %s', async (level) => {
    const { status, body } = await put<ProblemBody>('refused', level.repeat(size('security', 5000, 100_000)));
    expect([status, body.code, body.errors]).toEqual([
      400,
      'openapi-invalid',
      [{ pointer: '/openapi', detail: 'is nested too deeply: more than 500 levels' }],
    ]);
    expect((await latchkey.admin.get('/v1/services/refused')).status).toBe(404);
  });

  test('is refused as YAML whose aliases expand exponentially', async () => {
    const levels = 'abcdefghi'.split('').map((name, index, all) => {
      const inner = index === 0 ? '"lol"' : `*${all[index - 1]}`;
      return `${name}: &${name} [${Array.from({ length: 10 }, () => inner).join(', ')}]`;
    });
    const { status, body } = await put<ProblemBody>('refused', `openapi: 3.1.0\n${levels.join('\n')}\npaths: {}\n`);
    expect([status, body.code]).toEqual([400, 'openapi-invalid']);
    expect(body.detail).toContain('aliases');
  });

  test('is refused with more operations than a service can have', async () => {
    const paths = (count: number): unknown =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`/p${index}`, { get: {} }]));
    const { status, body } = await put<ProblemBody>('refused', document(paths(20_001)));
    expect([status, body.code]).toEqual([400, 'openapi-invalid']);
  });

  test('is refused with more segments in its paths than a service can have', async () => {
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

  test('may have properties and examples that only look like references', async () => {
    const schema = {
      properties: { $ref: { type: 'string' }, other: { $ref: '#/components/schemas/Pet' } },
      example: { $ref: 'pets.yaml' },
      default: { $ref: 'pets.yaml' },
      'x-extension': { $ref: 'pets.yaml' },
    };
    expect(await outcome(inSchema(schema))).toEqual({ 'GET /x': 'account' });
  });

  test('may have paths named like properties of prototypes', async () => {
    const text =
      '{"openapi":"3.1.0","__proto__":{"paths":{"/evil":{"get":{}}}},"paths":{"/constructor":{"get":{}},"/__proto__":{"get":{}}}}';
    const names = ['GET /__proto__', 'GET /constructor'];
    expect(Object.keys(await outcome(text)).sort()).toEqual(names);
    expect(Object.keys(await outcome(stringify(JSON.parse(text)))).sort()).toEqual(names);
  });

  test('is refused with operations that match the same requests, and all of them are listed', async () => {
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

describe('a request to register a service is refused', () => {
  const send = (body: unknown, headers?: Record<string, string>): Promise<Answer<ProblemBody>> =>
    latchkey.admin.send<ProblemBody>('PUT', '/v1/services/refused', body, headers);
  const good = { name: 'Good', openapi: document({}) };

  test('with every fault listed', async () => {
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
    ['a list as its body', [], 'json-malformed'],
    ['no body', undefined, 'body-missing'],
  ])('with %s', async (_name, sent, code) => {
    expect((await send(sent)).body.code).toBe(code);
  });

  test('if its body is not JSON, is not UTF-8, or is too large', async () => {
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
    'for the invalid service name %s',
    async (service) => {
      const { status, body } = await put<ProblemBody>(service, document({}));
      expect([status, body.code, body.errors]).toMatchObject([400, 'validation-failed', [{ parameter: 'service' }]]);
      expect((await latchkey.admin.get(`/v1/services/${service}`)).status).toBe(404);
      expect((await latchkey.admin.delete(`/v1/services/${service}`)).status).toBe(404);
    },
  );
});
