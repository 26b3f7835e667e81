import { readFileSync } from 'node:fs';
import { Transactions } from '../src/database/transactions.js';
import type { ProblemBody } from './client.js';
import { createAdmin, createApplication, createKey, type MadeKey } from './fixtures.js';
import { type Latchkey, startLatchkey } from './harness.js';
import { type RawAnswer, sendRaw } from './raw-http.js';

type Headers = (readonly [name: string, value: string])[];

/** How a proxy asks about a request of its client. */
interface Dialect {
  name: string;
  ask: (
    service: string,
    method: string,
    path: string,
    headers: Headers,
  ) => { method: string; target: string; headers: Headers };
}

/** Requests exactly as these proxies send them, as far as it matters here: what they add, and in which order. */
const DIALECTS: Dialect[] = [
  {
    name: 'nginx auth_request',
    ask: (service, method, path, headers) => ({
      method: 'GET',
      target: `/v1/forward_auth/original/${service}`,
      headers: [
        ['X-Original-Method', method],
        ['X-Original-URI', path],
        ['Host', 'latchkey:3000'],
        ['Connection', 'close'],
        ['User-Agent', 'curl/8.5.0'],
        ['Accept', '*/*'],
        ...headers,
      ],
    }),
  },
  {
    name: 'Caddy forward_auth',
    ask: (service, method, path, headers) => ({
      method: 'GET',
      // Caddy appends the query of the request.
      target: `/v1/forward_auth/forwarded/${service}${/\?.*$/s.exec(path)?.[0] ?? ''}`,
      headers: [
        ['Host', 'latchkey:3000'],
        ['User-Agent', 'curl/8.5.0'],
        ...headers,
        ['X-Forwarded-For', '127.0.0.1'],
        ['X-Forwarded-Host', 'api.example.com'],
        ['X-Forwarded-Method', method],
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Uri', path],
        ['Accept-Encoding', 'gzip'],
      ],
    }),
  },
  {
    name: 'Traefik ForwardAuth',
    ask: (service, method, path, headers) => ({
      method: 'GET',
      target: `/v1/forward_auth/forwarded/${service}`,
      headers: [
        ['Host', 'latchkey:3000'],
        ['User-Agent', 'curl/8.5.0'],
        ...headers,
        ['X-Forwarded-For', '172.18.0.1'],
        ['X-Forwarded-Host', 'api.example.com'],
        ['X-Forwarded-Method', method],
        ['X-Forwarded-Port', '443'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Server', '6e2cf9a2a1c6'],
        ['X-Forwarded-Uri', path],
        ['X-Real-Ip', '172.18.0.1'],
        ['Accept-Encoding', 'gzip'],
      ],
    }),
  },
  {
    name: 'APISIX forward-auth',
    ask: (service, method, path, headers) => ({
      method: 'GET',
      target: `/v1/forward_auth/forwarded/${service}`,
      headers: [
        ['Host', 'latchkey:3000'],
        ['User-Agent', 'lua-resty-http/0.17.1 (Lua) ngx_lua/10027'],
        ['X-Forwarded-Proto', 'https'],
        ['X-Forwarded-Method', method],
        ['X-Forwarded-Host', 'api.example.com'],
        ['X-Forwarded-Uri', path],
        ['X-Forwarded-For', '172.18.0.1'],
        ...headers,
      ],
    }),
  },
  {
    name: 'Envoy ext_authz',
    ask: (service, method, path, headers) => ({
      method,
      target: `/v1/forward_auth/envoy/${service}${path}`,
      headers: [
        ['Host', 'api.example.com'],
        ['Content-Length', '0'],
        ...headers,
        ['X-Envoy-Internal', 'true'],
        ['X-Forwarded-For', '172.18.0.1'],
        ['X-Envoy-Expected-Rq-Timeout-Ms', '250'],
      ],
    }),
  },
];

const OPENAPI = {
  openapi: '3.1.0',
  paths: {
    '/invoices': { get: {}, post: {} },
    '/invoices/me': { get: {}, delete: {} },
    '/invoices/{id}': { get: {} },
    '/invoices/{id}/größe/{größe}': { get: {} },
    '/files/': { get: {} },
    '/applications/{applicationId}/invoices': { get: {} },
  },
};

let latchkey: Latchkey;
let key: MadeKey;
let limited: MadeKey;
let one: number;
let two: number;

beforeAll(async () => {
  latchkey = await startLatchkey();
  one = await createApplication(latchkey.admin);
  two = await createApplication(latchkey.admin);
  await putBilling(OPENAPI);
  key = await createKey(latchkey.admin, {
    name: 'Ümlaut & "quotes", 100 %',
    endpoints: [
      { service: 'billing', method: 'GET', path: '/invoices' },
      { service: 'billing', method: 'GET', path: '/invoices/{id}' },
      { service: 'billing', method: 'GET', path: '/applications/{applicationId}/invoices' },
    ],
  });
  limited = await createKey(latchkey.admin, {
    endpoints: [{ service: 'billing', method: 'GET', path: '/applications/{applicationId}/invoices' }],
    allowedApplicationIds: [one],
  });
});
afterAll(() => latchkey.close());

async function putBilling(openapi: unknown): Promise<void> {
  const { status } = await latchkey.admin.put('/v1/services/billing', { name: 'Billing', openapi });
  expect([200, 201]).toContain(status);
}

function presenting({ key: secret }: { key: string }): Headers {
  return [['Authorization', `ManagementKey-v1 ${secret}`]];
}

/** Asks as a proxy does. */
function ask(
  dialect: Dialect,
  method: string,
  path: string,
  headers: Headers = presenting(key),
  service = 'billing',
): Promise<RawAnswer> {
  const question = dialect.ask(service, method, path, headers);
  return sendRaw(latchkey.url, question.method, question.target, question.headers);
}

/** Asks in the dialect of nginx, in which everything can be said. */
const askNginx = (method: string, path: string, headers?: Headers, service?: string): Promise<RawAnswer> =>
  ask(DIALECTS[0]!, method, path, headers, service);

function codeOf(answer: RawAnswer): string {
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  const { code } = JSON.parse(answer.body) as ProblemBody;
  // Not every proxy hands the body on.
  expect(answer.headers['x-latchkey-error']).toBe(code);
  return code;
}

describe.each(DIALECTS)('asked by $name', (dialect) => {
  test('a request that the key opens passes, and the answer tells who it is', async () => {
    const answer = await ask(dialect, 'GET', '/invoices?page=2');
    expect(answer).toMatchObject({
      status: 200,
      body: '',
      headers: {
        'cache-control': 'no-store',
        'content-length': '0',
        'x-latchkey-key-id': String(key.id),
        'x-latchkey-key-name': encodeURIComponent(key.name),
        'x-latchkey-created-by': String(key.createdBy),
        'x-latchkey-application-id': '',
        'x-latchkey-endpoint': 'GET /invoices',
      },
    });
  });

  test('a query changes nothing, whatever it says', async () => {
    const queries = ['?method=GET&uri=/other', '?X-Forwarded-Uri=/invoices', '?/invoices', '?a=/../me', '?'];
    for (const query of queries) {
      const passes = await ask(dialect, 'GET', `/invoices/7${query}`);
      expect({ query, endpoint: passes.headers['x-latchkey-endpoint'] }).toEqual({
        query,
        endpoint: 'GET /invoices/{id}',
      });
      const refused = await Promise.all([
        ask(dialect, 'GET', `/invoices/me${query}`),
        ask(dialect, 'POST', `/invoices${query}`),
        ask(dialect, 'GET', `/nothing${query}`),
      ]);
      expect(refused.map(codeOf)).toEqual(['endpoint-not-allowed', 'endpoint-not-allowed', 'endpoint-unknown']);
    }
  });

  test('the answer names the Application that the path is about', async () => {
    const answer = await ask(dialect, 'GET', `/applications/${one}/invoices`, presenting(limited));
    expect(answer).toMatchObject({
      status: 200,
      headers: {
        'x-latchkey-application-id': String(one),
        'x-latchkey-endpoint': 'GET /applications/{applicationId}/invoices',
      },
    });
  });

  test('what the key does not open is refused with the reason', async () => {
    const answers = await Promise.all([
      ask(dialect, 'POST', '/invoices'),
      ask(dialect, 'GET', '/invoices/me'),
      ask(dialect, 'GET', '/nothing'),
      ask(dialect, 'DELETE', '/invoices'),
      ask(dialect, 'GET', `/applications/${two}/invoices`, presenting(limited)),
      ask(dialect, 'GET', '/applications/2147483647/invoices', presenting(limited)),
      ask(dialect, 'GET', '/applications/01/invoices', presenting(limited)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 403, 403]);
    expect(answers.map(codeOf)).toEqual([
      'endpoint-not-allowed',
      'endpoint-not-allowed',
      'endpoint-unknown',
      'endpoint-unknown',
      'application-not-allowed',
      'application-not-allowed',
      'application-malformed',
    ]);
    expect(JSON.parse(answers[4]!.body)).toMatchObject({
      endpoint: 'GET /applications/{applicationId}/invoices',
      applicationId: two,
    });
    for (const { headers } of answers) {
      expect(headers).toMatchObject({ 'cache-control': 'no-store' });
    }
  });

  test('a key that is no key is refused, and told how to present one', async () => {
    const expired = await createKey(latchkey.admin, {
      expiryDate: new Date(latchkey.clock.now() + 1000).toISOString(),
    });
    latchkey.clock.advance(1000);
    const answers = await Promise.all([
      ask(dialect, 'GET', '/invoices', []),
      ask(dialect, 'GET', '/invoices', [['Authorization', 'ManagementKey-v1 nonsense']]),
      ask(dialect, 'GET', '/invoices', [['Authorization', latchkey.admin.authorization!]]),
      ask(dialect, 'GET', '/invoices', [...presenting(key), ...presenting(key)]),
      ask(dialect, 'GET', '/invoices', presenting(expired)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
    expect(answers.map(codeOf)).toEqual(['credential-missing', 'malformed', 'malformed', 'malformed', 'expired']);
    for (const { headers } of answers) {
      expect(headers['www-authenticate']).toContain('ManagementKey-v1 realm="latchkey"');
      expect(headers['cache-control']).toBe('no-store');
    }
  });

  test('HEAD is allowed where GET is, and nothing else is implied', async () => {
    const head = await ask(dialect, 'HEAD', '/invoices');
    expect(head).toMatchObject({ status: 200, headers: { 'x-latchkey-endpoint': 'GET /invoices' } });
    const others = await Promise.all(['OPTIONS', 'PUT', 'TRACE'].map((method) => ask(dialect, method, '/invoices')));
    expect(others.map(({ status }) => status)).toEqual([403, 403, 403]);
  });

  test('a path that two readers could read differently is refused, every one that the vectors know', async () => {
    const vectors = JSON.parse(readFileSync(new URL('./path-vectors.json', import.meta.url), 'utf8')) as {
      raw: string;
      expect: 'segments' | 'ambiguous';
      why: string;
    }[];
    await latchkey.admin.put('/v1/services/vectors', {
      name: 'Vectors',
      openapi: { openapi: '3.1.0', paths: { '/only/this': { get: {} } } },
    });
    // What no header can carry, and what surrounds a value and is not part of it.
    const sendable = vectors.filter(({ raw }) => !/[\u0100-\uffff\0\r\n]|^[ \t]|[ \t]$/.test(raw));
    expect(sendable.length).toBeGreaterThan(150);
    const wrong: string[] = [];
    for (const { raw, expect: expected, why } of sendable) {
      const answer = await ask(dialect, 'GET', raw, presenting(key), 'vectors');
      // Behind the service's name, in Envoy's dialect, what does not begin with "/" is another service.
      const code = dialect.name.startsWith('Envoy') && !/^[/?]/.test(raw) ? 'path-ambiguous' : codeOf(answer);
      if (answer.status !== 403 || code !== (expected === 'ambiguous' ? 'path-ambiguous' : 'endpoint-unknown')) {
        wrong.push(`${JSON.stringify(raw.slice(0, 60))} (${why}): ${answer.status} ${code}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('a request that may tell the upstream another METHOD or path is refused', async () => {
    const names = [
      'X-HTTP-Method-Override',
      'X-HTTP-Method',
      'X-Method-Override',
      'X-Original-URL',
      'X-Rewrite-URL',
      'x_http_method_override',
    ];
    const answers = await Promise.all([
      ...names.map((name) => ask(dialect, 'GET', '/invoices', [...presenting(key), [name, 'DELETE']])),
      ask(dialect, 'GET', '/invoices?_method=DELETE'),
      ask(dialect, 'GET', '/invoices?a=b&%5Fmethod=DELETE'),
    ]);
    expect(answers.map(codeOf)).toEqual(answers.map(() => 'path-ambiguous'));
  });

  test('a service that nobody registered is refused', async () => {
    const answers = await Promise.all([
      ask(dialect, 'GET', '/invoices', presenting(key), 'unheard-of'),
      ask(dialect, 'GET', '/invoices', presenting(key), '%62illing'),
    ]);
    expect(answers.map(codeOf)).toEqual(['endpoint-unknown', 'endpoint-unknown']);
  });
});

describe('forward auth', () => {
  test('reads each dialect from its own source alone: what is missing, repeated or empty there is refused', async () => {
    const from = (dialect: string, headers: Headers): Promise<RawAnswer> =>
      sendRaw(latchkey.url, 'GET', `/v1/forward_auth/${dialect}/billing`, [...headers, ...presenting(key)]);
    const method = (prefix: string, value = 'GET'): Headers[number] => [`X-${prefix}-Method`, value];
    const uri = (prefix: string, value = '/invoices'): Headers[number] => [`X-${prefix}-URI`, value];
    const both = (prefix: string): Headers => [method(prefix), uri(prefix)];
    expect((await from('forwarded', both('Forwarded'))).status).toBe(200);
    expect((await from('original', both('Original'))).status).toBe(200);
    expect((await from('original', [...both('Original'), ...both('Forwarded')])).status).toBe(200);
    const refused = await Promise.all(
      (['forwarded', 'original'] as const).flatMap((dialect) => {
        const [own, other] = dialect === 'forwarded' ? ['Forwarded', 'Original'] : ['Original', 'Forwarded'];
        return [
          [],
          both(other!),
          [method(own!), uri(other!)],
          [uri(own!), method(other!)],
          [method(own!)],
          [uri(own!)],
          [...both(own!), method(own!)],
          [...both(own!), uri(own!)],
          [method(own!), uri(own!), uri(own!, '/invoices/me')],
          [method(own!, ''), uri(own!)],
          [method(own!), uri(own!, '')],
        ].map((headers) => from(dialect, headers as Headers));
      }),
    );
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
    expect(refused.map(codeOf)).toEqual(refused.map(() => 'path-ambiguous'));
    // In Envoy's dialect the path is the rest of the path, and headers say nothing.
    const envoy = await Promise.all([
      from('envoy', both('Forwarded')),
      sendRaw(latchkey.url, 'POST', '/v1/forward_auth/envoy/billing/invoices', [
        ...both('Forwarded'),
        ...presenting(key),
      ]),
    ]);
    expect(envoy.map(codeOf)).toEqual(['path-ambiguous', 'endpoint-not-allowed']);
  });

  test('refuses a path that stands in two places', async () => {
    const { method, headers } = DIALECTS[0]!.ask('billing', 'GET', '/invoices', presenting(key));
    const answer = await sendRaw(latchkey.url, method, '/v1/forward_auth/original/billing/invoices/me', headers);
    expect(codeOf(answer)).toBe('path-ambiguous');
  });

  test('refuses a dialect that it does not speak', async () => {
    const { headers } = DIALECTS[0]!.ask('billing', 'GET', '/invoices', presenting(key));
    for (const target of [
      '/v1/forward_auth',
      '/v1/forward_auth/',
      '/v1/forward_auth/Original/billing',
      '/v1/forward_auth/x/billing/%zz',
    ]) {
      const answer = await sendRaw(latchkey.url, 'GET', target, headers);
      expect([target, answer.status, codeOf(answer)]).toEqual([target, 403, 'endpoint-unknown']);
    }
  });

  test('names the first reason: the key, then the path, the endpoint, the grant, the Application', async () => {
    const { key: deleted, id } = await createKey(latchkey.admin);
    await latchkey.admin.delete(`/v1/api_keys/${id}`);
    const gone = presenting({ key: deleted });
    const answers = await Promise.all([
      askNginx('GET', '//nothing', gone),
      askNginx('GET', '/nothing', gone, 'unheard-of'),
      askNginx('GET', '//nothing', presenting(key), 'unheard-of'),
      askNginx('GET', '/applications/01/invoices/more', presenting(limited)),
      askNginx('GET', '/invoices', presenting(limited)),
      askNginx('GET', '/applications/01/invoices', presenting(limited)),
    ]);
    expect(answers.map(codeOf)).toEqual([
      'unknown',
      'unknown',
      'path-ambiguous',
      'endpoint-unknown',
      'endpoint-not-allowed',
      'application-malformed',
    ]);
  });

  test('refuses a segment that only some upstreams would take for a literal', async () => {
    const answers = await Promise.all(
      ['/invoices/ME', '/invoices/Me', '/invoices/me.json', '/INVOICES/7'].map((path) => askNginx('GET', path)),
    );
    expect(answers.map(codeOf)).toEqual(answers.map(() => 'path-ambiguous'));
    expect((await askNginx('GET', '/invoices/you')).status).toBe(200);
  });

  test('a trailing slash is another path', async () => {
    const answers = await Promise.all([askNginx('GET', '/invoices/'), askNginx('GET', '/files')]);
    expect(answers.map(codeOf)).toEqual(['endpoint-unknown', 'endpoint-unknown']);
  });

  test('an Application that no id can name is nobody’s business where the key opens all', async () => {
    const answer = await askNginx('GET', '/applications/anything/invoices');
    expect(answer).toMatchObject({ status: 200, headers: { 'x-latchkey-application-id': '' } });
  });

  test('a parameter with letters of any alphabet fits into a header', async () => {
    const path = '/invoices/{id}/größe/{größe}';
    const { body } = await latchkey.admin.get<{ skipped: { path: string }[] }>('/v1/services/billing');
    // Its literal cannot be requested without an escape, and so not be granted.
    expect(body.skipped).toMatchObject([{ path }]);
    await latchkey.admin.put('/v1/services/letters', {
      name: 'Letters',
      openapi: { openapi: '3.1.0', paths: { '/sizes/{größe}': { get: {} } } },
    });
    const holder = await createKey(latchkey.admin, {
      endpoints: [{ service: 'letters', method: 'GET', path: '/sizes/{größe}' }],
    });
    const answer = await askNginx('GET', '/sizes/7', presenting(holder), 'letters');
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'x-latchkey-endpoint': 'GET /sizes/{gr%C3%B6%C3%9Fe}' },
    });
  });

  test('a key does not open what stands beside its endpoint and can be granted to nobody', async () => {
    const get = { get: {} };
    const openapi = {
      openapi: '3.1.0',
      paths: { '/files/{id}': get, '/files/{name}.json': get, '/jobs/{id}': get, '/jobs/{id}:cancel': { post: {} } },
    };
    expect((await latchkey.admin.put('/v1/services/beside', { name: 'Beside', openapi })).status).toBe(201);
    const holder = await createKey(latchkey.admin, {
      endpoints: ['/files/{id}', '/jobs/{id}'].map((path) => ({ service: 'beside', method: 'GET', path })),
    });
    const ask = (path: string): Promise<RawAnswer> => askNginx('GET', path, presenting(holder), 'beside');
    expect((await ask('/files/7')).status).toBe(200);
    expect((await ask('/jobs/7')).status).toBe(200);
    for (const path of ['/files/x.json', '/files/X.JSON', '/files/x%2Ejson', '/jobs/7:cancel', '/jobs/7%3Acancel']) {
      expect({ path, code: codeOf(await ask(path)) }).toEqual({ path, code: 'path-ambiguous' });
    }
    // What is skipped goes with the document that names it.
    const { '/files/{id}': files, '/jobs/{id}': jobs } = openapi.paths;
    const others = { ...openapi, paths: { '/files/{id}': files, '/jobs/{id}': jobs } };
    expect((await latchkey.admin.put('/v1/services/beside', { name: 'Beside', openapi: others })).status).toBe(200);
    expect((await ask('/files/x.json')).status).toBe(200);
  });

  test('nor if the document was registered before such operations were remembered as more than a reason', async () => {
    const get = { get: {} };
    const rest = { get: { parameters: [{ name: 'rest', in: 'path', required: true, 'x-multi-segment': true }] } };
    const openapi = {
      openapi: '3.1.0',
      paths: {
        '/files/{id}': get,
        '/files/{name}.json': get,
        '/{a}/{b}': get,
        '/docs/{rest}': rest,
        '/elsewhere/{a}{b}': { servers: [{ url: 'https://elsewhere.example' }], ...get },
      },
    };
    await latchkey.admin.put('/v1/services/earlier', { name: 'Earlier', openapi });
    const holder = await createKey(latchkey.admin, {
      endpoints: ['/files/{id}', '/{a}/{b}'].map((path) => ({ service: 'earlier', method: 'GET', path })),
    });
    await latchkey.get(Transactions).inTransaction(async (manager) => {
      const [row] = await manager.query<{ skipped: string }[]>(
        `SELECT skipped FROM services WHERE service = 'earlier'`,
      );
      const skipped = (JSON.parse(row!.skipped) as Record<string, unknown>[]).map(({ method, path, reason }) => ({
        method,
        path,
        reason,
      }));
      expect(skipped).toHaveLength(3);
      await manager.query(`UPDATE services SET skipped = ? WHERE service = 'earlier'`, [JSON.stringify(skipped)]);
    });
    const replica = await startLatchkey({}, [], latchkey);
    const on = async (path: string): Promise<number> => {
      const { method, target, headers } = DIALECTS[0]!.ask('earlier', 'GET', path, presenting(holder));
      return (await sendRaw(replica.url, method, target, headers)).status;
    };
    const paths = ['/files/7', '/elsewhere/7', '/files/x.json', '/docs/7'];
    expect(await Promise.all(paths.map(on))).toEqual([200, 200, 403, 403]);
    await replica.close();
  });

  test('Latchkey itself can stand behind the proxy: only what keys can open is allowed', async () => {
    const holder = await createKey(latchkey.admin, {
      endpoints: [{ method: 'GET', path: '/v1/applications/{applicationId}' }],
      allowedApplicationIds: [one],
    });
    const on = (method: string, path: string): Promise<RawAnswer> =>
      askNginx(method, path, presenting(holder), 'management');
    expect(await on('GET', `/v1/applications/${one}`)).toMatchObject({ status: 200 });
    const refused = await Promise.all([
      on('GET', '/v1/applications'),
      on('GET', `/v1/applications/${two}`),
      on('POST', '/v1/api_keys'),
      on('GET', '/v1/services'),
      on('POST', '/v1/sessions'),
      on('GET', '/health/live'),
      on('GET', '/v1/forward_auth/original/management'),
    ]);
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
    expect(refused.slice(0, 5).map(codeOf)).toEqual([
      'endpoint-not-allowed',
      'application-not-allowed',
      'endpoint-not-allowed',
      'endpoint-not-allowed',
      'endpoint-not-allowed',
    ]);
  });

  test('sees every header, however many others a client puts in front', async () => {
    const { target, headers } = DIALECTS[0]!.ask('billing', 'GET', '/invoices', presenting(key));
    const crowd = Array.from({ length: 2500 }, () => ['a', ''] as const);
    expect((await sendRaw(latchkey.url, 'GET', target, [...headers, ...crowd])).status).toBe(200);
    for (const last of [
      ['X-HTTP-Method-Override', 'DELETE'],
      ['X-Original-URI', '/other'],
    ] as const) {
      expect(codeOf(await sendRaw(latchkey.url, 'GET', target, [...headers, ...crowd, last]))).toBe('path-ambiguous');
    }
    const twice = await sendRaw(latchkey.url, 'GET', target, [...headers, ...crowd, ...presenting(key)]);
    expect(twice.status).toBe(401);
  });

  test('takes no header for another one, however it is written', async () => {
    const target = '/v1/forward_auth/original/billing';
    const from = (...headers: Headers): Promise<RawAnswer> =>
      sendRaw(latchkey.url, 'GET', target, [...presenting(key), ['X-Original-Method', 'GET'], ...headers]);
    const uri = (value: string, name = 'X-Original-URI'): Headers[number] => [name, value];
    const refused = await Promise.all([
      from(uri('/invoices\r\n /me')),
      from(uri('/invoices\r\n\t')),
      from(uri('/invoices\r/me')),
      from(uri('/invoices\n/me')),
      from(uri('/invoices, /invoices/me')),
      from(uri('/invoices /me')),
      from(uri('/invoices\0')),
      from(uri('/invoices', 'X-Original-URI ')),
      from(uri('/invoices', ' X-Original-URI')),
      from(uri('/invoices', 'X_Original_URI')),
      from(uri('/invoices', 'X-Original-URI\0')),
    ]);
    expect(refused.map(({ status }) => status)).toEqual(refused.map(() => 403));
    // White space around a value is no part of it, and what follows a body is no header.
    const passed = await Promise.all([
      from(uri('\t /invoices \t')),
      sendRaw(
        latchkey.url,
        'GET',
        target,
        [...presenting(key), ['X-Original-Method', 'GET'], uri('/invoices'), ['Transfer-Encoding', 'chunked']],
        '0\r\nX-Original-URI: /invoices/me\r\nX-HTTP-Method-Override: DELETE\r\n\r\n',
      ),
    ]);
    for (const { status, headers } of passed) {
      expect({ status, endpoint: headers['x-latchkey-endpoint'] }).toEqual({ status: 200, endpoint: 'GET /invoices' });
    }
  });

  test('answers at once when a body is announced that never comes, and reads none', async () => {
    const { target, headers } = DIALECTS[4]!.ask('billing', 'GET', '/invoices', presenting(key));
    const others = headers.filter(([name]) => name !== 'Content-Length');
    for (const announced of [
      [['Content-Length', '1000']],
      [['Transfer-Encoding', 'chunked']],
      [
        ['Content-Length', '1000'],
        ['Expect', '100-continue'],
      ],
      [['Expect', 'the unexpected']],
    ] as Headers[]) {
      const answer = await sendRaw(latchkey.url, 'GET', target, [...others, ...announced]);
      expect(answer.status).toBe(200);
      if (announced[0]![0] !== 'Expect') {
        expect(answer.headers.connection).toBe('close');
      }
    }
  });

  test('answers nothing but 200, 401, 403 and 503, whatever arrives', async () => {
    const authorization = presenting(key);
    const target = '/v1/forward_auth/envoy/billing/invoices';
    const answers = await Promise.all([
      sendRaw(latchkey.url, 'GET', '/v1/forward_auth/envoy/billing/%zz', authorization),
      sendRaw(latchkey.url, 'GET', `${target}/${'x'.repeat(9000)}`, authorization),
      sendRaw(latchkey.url, 'GET', `${target}/${'x'.repeat(30_000)}`, authorization),
      sendRaw(latchkey.url, 'GET', `${target} more`, authorization),
      sendRaw(latchkey.url, 'GET', target, [...authorization, ['Content-Length', 'many']]),
      sendRaw(latchkey.url, 'GET', target, [...authorization, ['Broken\0', 'x']]),
      sendRaw(latchkey.url, 'GET', target, [...authorization, ['If-None-Match', '*']]),
      sendRaw(latchkey.url, 'GET', target, [...authorization, ['__proto__', 'x']]),
      sendRaw(latchkey.url, 'GET', target, [...authorization, ['Upgrade', 'websocket'], ['Connection', 'Upgrade']]),
      sendRaw(latchkey.url, 'PROPFIND', target, authorization),
      sendRaw(latchkey.url, 'NONSENSE', target, authorization),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403, 403, 200, 200, 200, 403, 403]);
  });

  test('every answer carries the id of its request', async () => {
    const answers = await Promise.all([
      askNginx('GET', '/invoices', [...presenting(key), ['X-Request-Id', 'mine-1']]),
      askNginx('GET', '/nothing', [...presenting(key), ['X-Request-Id', 'mine-2']]),
    ]);
    expect(answers.map(({ headers }) => headers['x-request-id'])).toEqual(['mine-1', 'mine-2']);
  });

  test('a refusal is a line of the log, without the key', async () => {
    await askNginx('POST', '/invoices', [...presenting(key), ['X-Request-Id', 'to-be-logged']]);
    const line = latchkey
      .log()
      .split('\n')
      .find((entry) => entry.includes('to-be-logged'))!;
    expect(JSON.parse(line)).toMatchObject({
      level: 'info',
      code: 'endpoint-not-allowed',
      principal: { kind: 'api-key', id: key.id, hint: key.hint },
    });
    expect(latchkey.log()).not.toContain(key.key);
  });
});

describe('what an admin changes holds for the next request', () => {
  const PATH = '/applications/{applicationId}/invoices';
  const openapi = (paths: unknown): unknown => ({ openapi: '3.1.0', paths });

  test('a deleted key, a deactivated creator', async () => {
    const holder = await createKey(latchkey.admin, {
      endpoints: [{ service: 'billing', method: 'GET', path: '/invoices' }],
    });
    expect((await askNginx('GET', '/invoices', presenting(holder))).status).toBe(200);
    expect((await latchkey.admin.delete(`/v1/api_keys/${holder.id}`)).status).toBe(204);
    expect(codeOf(await askNginx('GET', '/invoices', presenting(holder)))).toBe('unknown');
    const creator = await createAdmin(latchkey);
    const other = await createKey(creator.client, {
      endpoints: [{ service: 'billing', method: 'GET', path: '/invoices' }],
    });
    const states: [string, number][] = [
      ['active', 200],
      ['deactivated', 401],
      ['active', 200],
    ];
    for (const [state, status] of states) {
      expect((await latchkey.admin.put(`/v1/users/${creator.id}`, { state })).status).toBe(200);
      expect([state, (await askNginx('GET', '/invoices', presenting(other))).status]).toEqual([state, status]);
    }
  });

  test('a removed endpoint is denied on every replica, and its grant works again when it comes back', async () => {
    const replica = await startLatchkey({}, [], latchkey);
    const statuses = (): Promise<number[]> =>
      Promise.all(
        [latchkey, replica].map(async ({ url }) => {
          const { method, target, headers } = DIALECTS[0]!.ask('shop', 'GET', '/orders', presenting(holder));
          return (await sendRaw(url, method, target, headers)).status;
        }),
      );
    const put = (paths: unknown): Promise<unknown> =>
      replica.admin.put('/v1/services/shop', { name: 'Shop', openapi: openapi(paths) });
    await put({ '/orders': { get: {} }, '/other': { get: {} } });
    const holder = await createKey(latchkey.admin, {
      endpoints: [{ service: 'shop', method: 'GET', path: '/orders' }],
    });
    expect(await statuses()).toEqual([200, 200]);
    await put({ '/other': { get: {} } });
    expect(await statuses()).toEqual([403, 403]);
    const { body } = await latchkey.admin.get<MadeKey>(`/v1/api_keys/${holder.id}`);
    expect(body.endpoints).toMatchObject([{ path: '/orders', gone: true }]);
    await put({ '/orders': { get: {} } });
    expect(await statuses()).toEqual([200, 200]);
    expect((await latchkey.admin.delete('/v1/services/shop')).status).toBe(204);
    expect(await statuses()).toEqual([403, 403]);
    await replica.close();
  });

  test('an endpoint that turns to the whole account is denied to keys that are limited to Applications', async () => {
    const put = (applicationParameter: string): Promise<unknown> =>
      latchkey.admin.put('/v1/services/turning', {
        name: 'Turning',
        applicationParameter,
        openapi: openapi({ [PATH]: { get: {} } }),
      });
    await put('applicationId');
    const endpoints = [{ service: 'turning', method: 'GET', path: PATH }];
    const some = await createKey(latchkey.admin, { endpoints, allowedApplicationIds: [one] });
    const all = await createKey(latchkey.admin, { endpoints });
    const statuses = async (): Promise<number[]> => [
      (await askNginx('GET', `/applications/${one}/invoices`, presenting(some), 'turning')).status,
      (await askNginx('GET', `/applications/${one}/invoices`, presenting(all), 'turning')).status,
    ];
    expect(await statuses()).toEqual([200, 200]);
    await put('somethingElse');
    expect(await statuses()).toEqual([403, 200]);
  });

  test('a deleted Application', async () => {
    const lost = await createApplication(latchkey.admin);
    const holder = await createKey(latchkey.admin, {
      endpoints: [{ service: 'billing', method: 'GET', path: PATH }],
      allowedApplicationIds: [one, lost],
    });
    const at = (id: number): Promise<RawAnswer> => askNginx('GET', `/applications/${id}/invoices`, presenting(holder));
    expect((await at(lost)).status).toBe(200);
    expect((await latchkey.admin.delete(`/v1/applications/${lost}`)).status).toBe(204);
    expect(codeOf(await at(lost))).toBe('application-not-allowed');
    expect((await at(one)).status).toBe(200);
  });
});
