import { connect as connectSocket } from 'node:net';
import { once } from 'node:events';
import { EndpointCatalogue } from '../../src/access/endpoint-catalogue.js';
import type { Answer, ProblemBody } from '../support/client.js';
import { CAMPAIGNS, createApplication, createKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { sendRaw } from '../support/raw-http.js';

const APPLICATION = { name: 'Shop', timezone: 'UTC', currency: 'EUR' };

describe('HTTP', () => {
  let latchkey: Latchkey;

  beforeAll(async () => {
    latchkey = await startLatchkey();
  });
  afterAll(() => latchkey.close());

  const send = (body: string | Uint8Array, headers: Record<string, string>): Promise<Answer<ProblemBody>> =>
    latchkey.admin.send<ProblemBody>('POST', '/v1/applications', body, headers);
  const json = { 'content-type': 'application/json' };

  /** Returns the response to bytes that no HTTP client would send. */
  async function raw(text: string): Promise<string> {
    const { port, hostname } = new URL(latchkey.url);
    const socket = connectSocket(Number(port), hostname);
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.write(text);
    await once(socket, 'close');
    return answer;
  }

  describe('every refusal is a problem', () => {
    test.each([
      ['an unknown path', 'GET', '/nothing/here', 404, 'not-found'],
      ['an unknown path below a known one', 'GET', '/v1/applications/1/nothing', 404, 'not-found'],
      ['a path in capitals', 'GET', '/V1/applications', 404, 'not-found'],
      ['a trailing slash', 'GET', '/v1/applications/', 404, 'not-found'],
      ['a doubled slash', 'GET', '//v1/applications', 404, 'not-found'],
      ['a broken escape', 'GET', '/v1/applications/%zz', 400, 'path-malformed'],
      ['another method', 'PATCH', '/v1/applications', 405, 'method-not-allowed'],
      ['OPTIONS', 'OPTIONS', '/v1/applications', 405, 'method-not-allowed'],
    ])('%s', async (_name, method, path, status, code) => {
      const answer = await latchkey.admin.send<ProblemBody>(method, path);
      expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(answer).toMatchObject({ status, body: { status, code, type: `urn:latchkey:problem:${code}` } });
      expect(answer.body.instance).toBe(`urn:latchkey:request:${answer.headers.get('x-request-id')}`);
    });

    test('no refusal repeats a key, wherever it was put by mistake', async () => {
      const { key } = await createKey(latchkey.admin);
      const caller = latchkey.as(`ManagementKey-v1 ${key}`);
      const chosen = { name: 'x', expiryDate: '2027-01-01', endpoints: [{ method: 'GET', path: key }] };
      for (const { status, headers, body } of [
        await latchkey.admin.get(`/v1/applications?${key}=1`),
        await latchkey.admin.post('/v1/verifications', { [key]: 1 }),
        await latchkey.admin.post('/v1/api_keys', chosen),
        await caller.get(`/v1/applications/${key}/campaigns`),
        await latchkey.nobody.get('/v1/users', { 'X-Request-Id': key }),
      ]) {
        expect(status).toBeGreaterThanOrEqual(400);
        expect(JSON.stringify([body, ...headers])).not.toContain(key);
      }
    });

    test('a 405 says which methods there are', async () => {
      const answer = await latchkey.admin.send('PATCH', '/v1/applications/7');
      expect(answer.headers.get('allow')!.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'PUT']);
    });

    test('HEAD is answered like GET, without a body', async () => {
      expect(await latchkey.admin.send('HEAD', '/v1/applications')).toMatchObject({ status: 200, body: '' });
      expect(await latchkey.nobody.send('HEAD', '/v1/applications')).toMatchObject({ status: 401, body: '' });
    });
  });

  describe('a query', () => {
    test('has no parameter that an endpoint does not name', async () => {
      const endpoints = latchkey.get(EndpointCatalogue).own.filter(({ method }) => /GET|DELETE/.test(method));
      expect(endpoints.length).toBeGreaterThan(20);
      for (const { method, path } of endpoints) {
        const url = `${path.replaceAll(/\{\w+\}/g, '1')}?colour=red`;
        const answer = await latchkey.admin.send<ProblemBody>(method, url);
        expect({ url, code: answer.body.code, errors: answer.body.errors }).toMatchObject({
          url,
          code: 'validation-failed',
          errors: [{ parameter: 'colour' }],
        });
      }
    });

    test('does nothing where it is refused', async () => {
      const answer = await latchkey.admin.post<ProblemBody>('/v1/applications?dryRun=true', APPLICATION);
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ parameter: 'dryRun' }] } });
      expect((await latchkey.admin.get('/v1/applications')).body).toMatchObject({ totalResultSize: 0 });
    });

    test.each(['_=1795435200000', '_=1', 'pageSize=1&_=2'])('may have a time against caches: %s', async (query) => {
      expect((await latchkey.admin.get(`/v1/applications?${query}`)).status).toBe(200);
    });

    test('is read to its end', async () => {
      const answer = await latchkey.admin.get<ProblemBody>(`/v1/applications?${'&'.repeat(5000)}colour=red`);
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ parameter: 'colour' }] } });
    });

    test.each(['%ff', '%ED%A0%80', '%C3&skip=%A9', '%zz', '%', '%4'])(
      'that is not percent-encoded UTF-8 is refused, not guessed at: name=%j',
      async (value) => {
        const authorization = ['Authorization', latchkey.admin.authorization!] as const;
        const answer = await sendRaw(latchkey.url, 'GET', `/v1/users?name=${value}`, [authorization]);
        expect(answer.status).toBe(400);
        expect(JSON.parse(answer.body)).toMatchObject({
          code: 'validation-failed',
          errors: expect.arrayContaining([{ parameter: 'name', detail: 'must be percent-encoded UTF-8' }]),
        });
      },
    );

    test('may have any letters, percent-encoded', async () => {
      const answer = await latchkey.admin.get(`/v1/users?name=${encodeURIComponent('Zoë 🔑 + 1 %')}&email=a%20b`);
      expect(answer).toMatchObject({ status: 200, body: { totalResultSize: 0 } });
    });

    test.each(['_=', '_=x', '_=1&_=2', '__=1', `_=${'1'.repeat(21)}`])(
      'may have nothing like it: %s',
      async (query) => {
        const answer = await latchkey.admin.get<ProblemBody>(`/v1/applications?${query}`);
        expect([answer.status, answer.body.code]).toEqual([400, 'validation-failed']);
      },
    );
  });

  describe('a body', () => {
    test.each([
      ['no body', undefined, {}, 400, 'body-missing'],
      ['malformed JSON', '{"name":', json, 400, 'json-malformed'],
      ['JSON behind something else', '\ufeff\ufeff{}', json, 400, 'json-malformed'],
      ['an unfinished letter', Buffer.from('{"name": "\xc3"}', 'latin1'), json, 400, 'json-malformed'],
      [
        'half a surrogate pair as bytes',
        Buffer.from('{"name": "\xed\xa0\x80"}', 'latin1'),
        json,
        400,
        'json-malformed',
      ],
      [
        'Latin-1',
        JSON.stringify(APPLICATION),
        { 'content-type': 'application/json; charset=iso-8859-1' },
        415,
        'media-type-unsupported',
      ],
      [
        'UTF-7',
        JSON.stringify(APPLICATION),
        { 'content-type': 'application/json; charset=utf-7' },
        415,
        'media-type-unsupported',
      ],
      [
        'UTF-16',
        Buffer.from(JSON.stringify(APPLICATION), 'utf16le'),
        { 'content-type': 'application/json; charset="utf-16"' },
        415,
        'media-type-unsupported',
      ],
      ['a type that is none', '{}', { 'content-type': 'application/json; charset' }, 400, 'validation-failed'],
      ['a list', '[]', json, 400, 'json-malformed'],
      ['a text', '"x"', json, 400, 'json-malformed'],
      [
        'another type',
        'name=x',
        { 'content-type': 'application/x-www-form-urlencoded' },
        415,
        'media-type-unsupported',
      ],
      ['no type', new TextEncoder().encode('{}'), {}, 415, 'media-type-unsupported'],
      ['a compressed body', '{}', { ...json, 'content-encoding': 'gzip' }, 415, 'media-type-unsupported'],
      ['another charset', '{}', { 'content-type': 'application/json; charset=latin1' }, 415, 'media-type-unsupported'],
      ['100 KB and a byte', JSON.stringify({ name: 'x'.repeat(100 * 1024 - 10) }), json, 413, 'body-too-large'],
      ['an unknown field', JSON.stringify({ ...APPLICATION, x: 1 }), json, 400, 'validation-failed'],
      ['a prototype', '{"__proto__": {"isAdmin": true}}', json, 400, 'validation-failed'],
      [
        'a prototype further in',
        JSON.stringify(APPLICATION).replace('}', ', "attributes": {"a": {"__proto__": 1}}}'),
        json,
        400,
        'validation-failed',
      ],
      ['a constructor', '{"constructor": {"prototype": {"isAdmin": true}}}', json, 400, 'validation-failed'],
      [
        'a constructor further in',
        JSON.stringify({ ...APPLICATION, attributes: { a: { constructor: 1 } } }),
        json,
        400,
        'validation-failed',
      ],
      ['NUL', JSON.stringify({ ...APPLICATION, name: 'a\0' }), json, 400, 'validation-failed'],
      [
        'half a surrogate pair',
        '{"name": "\\ud800", "timezone": "UTC", "currency": "EUR"}',
        json,
        400,
        'validation-failed',
      ],
      [
        'a number beyond all bounds',
        JSON.stringify(APPLICATION).replace('}', ', "attributes": {"a": 1e999}}'),
        json,
        400,
        'validation-failed',
      ],
      [
        'a whole number that would become another one',
        JSON.stringify(APPLICATION).replace('}', ', "attributes": {"id": 12345678901234567890123}}'),
        json,
        400,
        'validation-failed',
      ],
      ['endless nesting', `{"attributes": ${'['.repeat(40_000)}${']'.repeat(40_000)}}`, json, 400, 'validation-failed'],
    ])('%s is refused', async (_name, body, headers, status, code) => {
      const answer = await send(body as string, headers as unknown as Record<string, string>);
      expect(answer).toMatchObject({ status, body: { code } });
    });

    test.each([
      ['with a byte order mark', '\ufeff', 'application/json'],
      ['of a type that says so', '', 'Application/JSON;CharSet="UTF-8"'],
      ['of a type made of JSON', '', 'application/vnd.api+json; charset=utf-8; version=1'],
    ])('is UTF-8, also %s', async (name, before, type) => {
      const body = before + JSON.stringify({ ...APPLICATION, name: `Läden ${name}` });
      const answer = await send(body, { 'content-type': type });
      expect(answer).toMatchObject({ status: 201, body: { name: `Läden ${name}` } });
    });

    test('that is not JSON is refused with the line and column of the fault', async () => {
      const trailingComma = '{\n  "name": "Shop",\n  "currency": "EUR",\n}';
      for (const [method, path] of [
        ['POST', '/v1/applications'],
        ['PUT', '/v1/services/billing'],
      ] as const) {
        const { status, body } = await latchkey.admin.send<ProblemBody>(method, path, trailingComma, json);
        expect([status, body.code, body.detail]).toEqual([
          400,
          'json-malformed',
          'The body is not valid JSON. See line 3, column 20: remove the comma before "}".',
        ]);
      }
    });

    test('opens nothing by a password whose letters only look alike when they are not understood', async () => {
      const user = { name: 'Umlaut', email: 'umlaut@example.com', password: 'fünf Störche üben' };
      const latin1 = Buffer.from(JSON.stringify(user), 'latin1');
      const made = await latchkey.admin.send<ProblemBody>('POST', '/v1/users', latin1, json);
      expect([made.status, made.body.code, made.body.detail]).toEqual([
        400,
        'json-malformed',
        'The body is not UTF-8.',
      ]);
      expect((await latchkey.admin.post('/v1/users', user)).status).toBe(201);
      const credentials = Buffer.from(JSON.stringify({ email: user.email, password: user.password }), 'latin1');
      expect((await latchkey.nobody.send('POST', '/v1/sessions', credentials, json)).status).toBe(400);
    });

    test('is not read before the guard let its sender in', async () => {
      const answer = await raw(
        `POST /v1/applications HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n{`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 401 [^]*credential-missing/);
    });

    test('is asked for only after the guard let its sender in, if they wait for that', async () => {
      const { port, hostname } = new URL(latchkey.url);
      const exchange = async (path: string, type: string, authorization: string, body: string): Promise<string[]> => {
        const socket = connectSocket(Number(port), hostname);
        let received = '';
        socket.setEncoding('latin1');
        socket.on('data', (chunk: string) => {
          // The client sends the body once it is requested.
          if (received === '' && chunk.startsWith('HTTP/1.1 100 ')) {
            socket.write(body);
          } else if (received === '') {
            socket.end();
          }
          received += chunk;
        });
        const lines = [
          `POST ${path} HTTP/1.1`,
          'Host: x',
          `Authorization: ${authorization}`,
          `Content-Type: ${type}`,
          `Content-Length: ${body.length}`,
          'Expect: 100-continue',
          'Connection: close',
        ];
        socket.write(`${lines.join('\r\n')}\r\n\r\n`);
        await once(socket, 'close');
        return [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status!);
      };
      const admin = latchkey.admin.authorization!;
      const application = JSON.stringify({ ...APPLICATION, name: 'Asked for' });
      const applications = '/v1/applications';
      expect(await exchange(applications, 'application/json', 'Bearer nonsense', application)).toEqual(['401']);
      expect(await exchange('/v1/nothing', 'application/json', admin, application)).toEqual(['404']);
      expect(await exchange(applications, 'text/plain', admin, application)).toEqual(['415']);
      expect(await exchange(applications, 'application/json', admin, application)).toEqual(['100', '201']);

      const id = await createApplication(latchkey.admin);
      const campaigns = `/v1/applications/${id}/campaigns`;
      const made = await latchkey.admin.post<{ id: number }>(campaigns, { name: 'Asked for' });
      const form = '--b\r\nContent-Disposition: form-data; name="upFile"\r\n\r\nvalue\nASKED\n\r\n--b--\r\n';
      const multipart = 'multipart/form-data; boundary=b';
      const target = `${campaigns}/${made.body.id}/import_coupons`;
      expect(await exchange(`${campaigns}/2147483647/import_coupons`, multipart, admin, form)).toEqual(['404']);
      expect(await exchange(target, multipart, admin, form)).toEqual(['100', '200']);
    });

    test('without a host is refused in our own words, or let be where the protocol is older', async () => {
      const { port, hostname } = new URL(latchkey.url);
      const exchange = async (version: string): Promise<string> => {
        const socket = connectSocket(Number(port), hostname);
        let received = '';
        socket.setEncoding('latin1');
        socket.on('data', (chunk: string) => (received += chunk));
        socket.end(`GET /health/live HTTP/${version}\r\nConnection: close\r\n\r\n`);
        await once(socket, 'close');
        return received;
      };
      expect(await exchange('1.0')).toMatch(/^HTTP\/1\.1 200 /);
      const refused = await exchange('1.1');
      expect(refused).toMatch(/^HTTP\/1\.1 400 [^]*application\/problem\+json[^]*"code":"request-malformed"/);
    });

    /** Sends megabytes without reading, as some clients do, and then reads the response. */
    const sendThenRead = async (path: string, connection: string, authorization: string, first: string) => {
      const { port, hostname } = new URL(latchkey.url);
      const socket = connectSocket(Number(port), hostname);
      const errors: unknown[] = [];
      socket.on('error', (error) => errors.push(error));
      const body = Buffer.alloc(8_000_000, 'x');
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\n` +
          `Connection: ${connection}\r\nContent-Length: ${first.length + body.length}\r\n\r\n${first}`,
      );
      // The refusal must have arrived, unread, before the rest is sent.
      await once(socket, 'readable');
      await new Promise<void>((resolve) => socket.write(body, () => resolve()));
      socket.end();
      let answer = '';
      for await (const chunk of socket) {
        answer += String(chunk);
      }
      return { status: answer.split(' ')[1], errors };
    };

    test.each(['close', 'keep-alive'])(
      'is received to its end although it is refused, so that its sender reads why (connection: %s)',
      async (connection) => {
        const send = (path: string, authorization: string, first = '{') =>
          sendThenRead(path, connection, authorization, first);
        const admin = latchkey.admin.authorization!;
        expect(await send('/v1/applications', 'ManagementKey-v1 nonsense')).toEqual({ status: '401', errors: [] });
        expect(await send('/v1/nothing', admin)).toEqual({ status: '404', errors: [] });
        expect(await send('/v1/applications', admin)).toEqual({ status: '413', errors: [] });
        const target = '/v1/applications/1/campaigns/1/import_coupons';
        expect(await send(target, admin)).toEqual({ status: '404', errors: [] });
        expect(await send('/v1/forward_auth/envoy/x/y', admin)).toEqual({ status: '401', errors: [] });
      },
    );

    test('that ends too early is refused, and the process lives on', async () => {
      const { port, hostname } = new URL(latchkey.url);
      const socket = connectSocket(Number(port), hostname);
      socket.write(
        `POST /v1/applications HTTP/1.1\r\nHost: x\r\nAuthorization: ${latchkey.admin.authorization}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"name"`,
      );
      socket.resume();
      socket.end();
      await once(socket, 'close');
      expect((await latchkey.admin.get('/v1/applications')).status).toBe(200);
    });
  });

  describe('a request id', () => {
    test.each([['abc-DEF_1.2'], ['x'.repeat(64)]])('%s is taken over', async (id) => {
      const answer = await latchkey.nobody.get<ProblemBody>('/v1/applications', { 'x-request-id': id });
      expect(answer.headers.get('x-request-id')).toBe(id);
      expect(answer.body.instance).toBe(`urn:latchkey:request:${id}`);
    });

    test.each([['x'.repeat(65)], ['a b'], ['a"b'], ['<script>']])('%j is replaced', async (id) => {
      const answer = await latchkey.nobody.get('/v1/applications', { 'x-request-id': id });
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    });
  });

  test('an answer to somebody who is signed in is not to be kept', async () => {
    expect((await latchkey.admin.get('/v1/applications')).headers.get('cache-control')).toBe('no-store');
    expect((await latchkey.nobody.get('/v1/applications')).headers.get('cache-control')).toBe('no-store');
  });

  test('an answer is whole whatever a client says that it has already', async () => {
    const authorization = ['Authorization', latchkey.admin.authorization!] as const;
    // `fetch` would add a header that refuses cached responses.
    for (const condition of [
      ['If-None-Match', '*'] as const,
      ['If-Modified-Since', new Date().toUTCString()] as const,
    ]) {
      for (const path of ['/v1/applications', '/health/live', '/metrics', '/docs', '/openapi.json']) {
        const { status } = await sendRaw(latchkey.url, 'GET', path, [authorization, condition]);
        expect({ path, condition, status }).toEqual({ path, condition, status: 200 });
      }
    }
  });

  test('nothing tells what the server is made of', async () => {
    const { headers } = await latchkey.nobody.get('/v1/applications');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('server')).toBeNull();
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  test('a parameter that nobody knows is refused', async () => {
    expect(await latchkey.admin.get('/v1/applications?isAdmin=true')).toMatchObject({
      status: 400,
      body: { code: 'validation-failed', errors: [{ parameter: 'isAdmin' }] },
    });
    expect(await latchkey.admin.get('/v1/applications?pageSize[]=1')).toMatchObject({ status: 400 });
    expect(await latchkey.admin.get('/v1/applications?__proto__=1')).toMatchObject({ status: 400 });
  });

  describe('a number in a query', () => {
    test.each([
      '0x10',
      '1e2',
      '1E0',
      '+5',
      '5.0',
      '-0',
      '%205',
      '5%20',
      '%095',
      '',
      '0b1',
      '１',
      '99999999999',
      'Infinity',
    ])('is nothing but digits: not %j', async (number) => {
      for (const parameter of ['pageSize', 'skip', 'createdBy', 'applicationId']) {
        const answer = await latchkey.admin.get<ProblemBody>(`/v1/api_keys?${parameter}=${number}`);
        expect({ parameter, status: answer.status, errors: answer.body.errors }).toMatchObject({
          parameter,
          status: 400,
          errors: expect.arrayContaining([expect.objectContaining({ parameter })]),
        });
      }
    });

    test('may have zeros in front', async () => {
      expect((await latchkey.admin.get('/v1/api_keys?pageSize=0010&skip=0&createdBy=7')).status).toBe(200);
    });
  });

  test.each(['/v1/users?name=', '/v1/users?email=', '/v1/api_keys?name=', '/v1/endpoints?q='])(
    'a search for nothing is refused, and does not find everything: %s',
    async (path) => {
      expect(await latchkey.admin.get(path)).toMatchObject({ status: 400, body: { code: 'validation-failed' } });
    },
  );

  describe('a name that every object has', () => {
    const names = [...Object.getOwnPropertyNames(Object.prototype), 'prototype'];

    test.each(names)('is no parameter: %s', async (name) => {
      const answer = await latchkey.admin.get<ProblemBody>(`/v1/users?${name}=1`);
      expect(answer).toMatchObject({ status: 400, body: { code: 'validation-failed', errors: [{ parameter: name }] } });
    });

    test.each(names)('is no field: %s', async (name) => {
      const key = { name: 'Key', expiryDate: '2027-06-30T22:00:00Z', endpoints: [CAMPAIGNS] };
      // Written as text, because `__proto__` cannot be assigned.
      const withField = (value: object): string => JSON.stringify(value).replace(/}$/, `,${JSON.stringify(name)}:1}`);
      const send = async (body: string) => {
        const answer = await latchkey.admin.send<ProblemBody>('POST', '/v1/api_keys', body, json);
        return [answer.status, answer.body.code, answer.body.errors?.map(({ pointer }) => pointer)];
      };
      // Names that can reach a prototype are refused everywhere.
      const reaching = ['__proto__', 'constructor', 'prototype'].includes(name);
      expect(await send(withField(key))).toEqual([400, 'validation-failed', [reaching ? '' : `/${name}`]]);
      const within = JSON.stringify(key).replace('}]', `,${JSON.stringify(name)}:1}]`);
      const pointer = reaching ? '/endpoints/0' : `/endpoints/0/${name}`;
      expect(await send(within)).toEqual([400, 'validation-failed', [pointer]]);
      const faults = await send(withField({ ...key, name: '' }));
      expect(faults).toEqual([400, 'validation-failed', reaching ? [''] : ['/name', `/${name}`]]);
    });

    test('is one of free attributes, unless a prototype can be reached by it', async () => {
      const attributes = { toString: 1, hasOwnProperty: { valueOf: 'x' } };
      const answer = await latchkey.admin.post('/v1/applications', { ...APPLICATION, name: 'Free', attributes });
      expect(answer).toMatchObject({ status: 201, body: { attributes } });
    });
  });
});
