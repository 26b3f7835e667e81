import { EndpointCatalogue } from '../../src/access/endpoint-catalogue.js';
import type { ProblemBody } from '../support/client.js';
import { CAMPAIGNS, createKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { sendRaw } from '../support/raw-http.js';

const APPLICATION = { name: 'Shop', timezone: 'UTC', currency: 'EUR' };

describe('HTTP', () => {
  let latchkey: Latchkey;

  beforeAll(async () => {
    latchkey = await startLatchkey();
  });
  afterAll(() => latchkey.close());

  const json = { 'content-type': 'application/json' };

  describe('every refusal is a problem', () => {
    test.each([
      ['an unknown path', 'GET', '/nothing/here', 404, 'not-found'],
      ['an unknown path below a known one', 'GET', '/v1/applications/1/nothing', 404, 'not-found'],
      ['a path in capitals', 'GET', '/V1/applications', 404, 'not-found'],
      ['a trailing slash', 'GET', '/v1/applications/', 404, 'not-found'],
      ['a doubled slash', 'GET', '//v1/applications', 404, 'not-found'],
      ['a broken escape', 'GET', '/v1/applications/%zz', 400, 'path-malformed'],
      ['a METHOD that the path does not have', 'PATCH', '/v1/applications', 405, 'method-not-allowed'],
      ['OPTIONS', 'OPTIONS', '/v1/applications', 405, 'method-not-allowed'],
    ])('%s', async (_name, method, path, status, code) => {
      const answer = await latchkey.admin.send<ProblemBody>(method, path);
      expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(answer).toMatchObject({ status, body: { status, code, type: `urn:latchkey:problem:${code}` } });
      expect(answer.body.instance).toBe(`urn:latchkey:request:${answer.headers.get('x-request-id')}`);
    });

    test('no refusal repeats a secret, wherever the client put it by mistake', async () => {
      const { key } = await createKey(latchkey.admin);
      const caller = latchkey.as(`ManagementKey-v1 ${key}`);
      const chosen = { name: 'x', expiryDate: '2027-01-01', endpoints: [{ method: 'GET', path: key }] };
      for (const { status, headers, body } of [
        await latchkey.admin.get(`/v1/applications?${key}=1`),
        await latchkey.admin.post('/v1/verifications', { [key]: 1 }),
        await latchkey.admin.post('/v1/api_keys', chosen),
        await caller.get(`/v1/applications/${key}/campaigns`),
        await latchkey.anonymous.get('/v1/users', { 'X-Request-Id': key }),
      ]) {
        expect(status).toBeGreaterThanOrEqual(400);
        expect(JSON.stringify([body, ...headers])).not.toContain(key);
      }
    });

    test('a 405 lists the METHODs that the path has', async () => {
      const answer = await latchkey.admin.send('PATCH', '/v1/applications/7');
      expect(answer.headers.get('allow')!.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'PUT']);
    });

    test('the response to HEAD is that to GET without a body', async () => {
      expect(await latchkey.admin.send('HEAD', '/v1/applications')).toMatchObject({ status: 200, body: '' });
      expect(await latchkey.anonymous.send('HEAD', '/v1/applications')).toMatchObject({ status: 401, body: '' });
    });
  });

  describe('a query', () => {
    test('is refused if it has a parameter that the endpoint does not have', async () => {
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

    test('that is refused changes nothing', async () => {
      const answer = await latchkey.admin.post<ProblemBody>('/v1/applications?dryRun=true', APPLICATION);
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ parameter: 'dryRun' }] } });
      expect((await latchkey.admin.get('/v1/applications')).body).toMatchObject({ totalResultSize: 0 });
    });

    test.each(['_=1795435200000', '_=1', 'pageSize=1&_=2'])(
      'may have a timestamp that bypasses caches: %s',
      async (query) => {
        expect((await latchkey.admin.get(`/v1/applications?${query}`)).status).toBe(200);
      },
    );

    test('is read to its end, however long it is', async () => {
      const answer = await latchkey.admin.get<ProblemBody>(`/v1/applications?${'&'.repeat(5000)}colour=red`);
      expect(answer).toMatchObject({ status: 400, body: { errors: [{ parameter: 'colour' }] } });
    });

    test.each(['%ff', '%ED%A0%80', '%C3&skip=%A9', '%zz', '%', '%4'])(
      'that is not percent-encoded UTF-8 is refused: name=%j',
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

    test('may have any characters, percent-encoded', async () => {
      const answer = await latchkey.admin.get(`/v1/users?name=${encodeURIComponent('Zoë 🔑 + 1 %')}&email=a%20b`);
      expect(answer).toMatchObject({ status: 200, body: { totalResultSize: 0 } });
    });

    test.each(['_=', '_=x', '_=1&_=2', '__=1', `_=${'1'.repeat(21)}`])(
      'is refused if it has a malformed or repeated timestamp: %s',
      async (query) => {
        const answer = await latchkey.admin.get<ProblemBody>(`/v1/applications?${query}`);
        expect([answer.status, answer.body.code]).toEqual([400, 'validation-failed']);
      },
    );
  });

  describe('a request id', () => {
    test.each([['abc-DEF_1.2'], ['x'.repeat(64)]])('%s is kept', async (id) => {
      const answer = await latchkey.anonymous.get<ProblemBody>('/v1/applications', { 'x-request-id': id });
      expect(answer.headers.get('x-request-id')).toBe(id);
      expect(answer.body.instance).toBe(`urn:latchkey:request:${id}`);
    });

    test.each([['x'.repeat(65)], ['a b'], ['a"b'], ['<script>']])('%j is replaced', async (id) => {
      const answer = await latchkey.anonymous.get('/v1/applications', { 'x-request-id': id });
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    });
  });

  test('responses may not be cached', async () => {
    expect((await latchkey.admin.get('/v1/applications')).headers.get('cache-control')).toBe('no-store');
    expect((await latchkey.anonymous.get('/v1/applications')).headers.get('cache-control')).toBe('no-store');
  });

  test('a conditional request gets the complete response', async () => {
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

  test('no header reveals the software of the server or allows other origins', async () => {
    const { headers } = await latchkey.anonymous.get('/v1/applications');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('server')).toBeNull();
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });

  test('an unknown query parameter is refused', async () => {
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
    ])('has only digits: %j is refused', async (number) => {
      for (const parameter of ['pageSize', 'skip', 'createdBy', 'applicationId']) {
        const answer = await latchkey.admin.get<ProblemBody>(`/v1/api_keys?${parameter}=${number}`);
        expect({ parameter, status: answer.status, errors: answer.body.errors }).toMatchObject({
          parameter,
          status: 400,
          errors: expect.arrayContaining([expect.objectContaining({ parameter })]),
        });
      }
    });

    test('may have leading zeros', async () => {
      expect((await latchkey.admin.get('/v1/api_keys?pageSize=0010&skip=0&createdBy=7')).status).toBe(200);
    });
  });

  test.each(['/v1/users?name=', '/v1/users?email=', '/v1/api_keys?name=', '/v1/endpoints?q='])(
    'an empty search text is refused: %s',
    async (path) => {
      expect(await latchkey.admin.get(path)).toMatchObject({ status: 400, body: { code: 'validation-failed' } });
    },
  );

  describe('the name of a property that every JavaScript object has', () => {
    const names = [...Object.getOwnPropertyNames(Object.prototype), 'prototype'];

    test.each(names)('is refused as a query parameter: %s', async (name) => {
      const answer = await latchkey.admin.get<ProblemBody>(`/v1/users?${name}=1`);
      expect(answer).toMatchObject({ status: 400, body: { code: 'validation-failed', errors: [{ parameter: name }] } });
    });

    test.each(names)('is refused as a field: %s', async (name) => {
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

    test('is accepted in free attributes, unless it can reach a prototype', async () => {
      const attributes = { toString: 1, hasOwnProperty: { valueOf: 'x' } };
      const answer = await latchkey.admin.post('/v1/applications', { ...APPLICATION, name: 'Free', attributes });
      expect(answer).toMatchObject({ status: 201, body: { attributes } });
    });
  });
});
