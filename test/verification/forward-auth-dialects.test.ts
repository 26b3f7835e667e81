import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import {
  OVERRIDE_HEADERS,
  OVERRIDE_PARAMETERS,
  OVERRIDE_PARAMETERS_BY_VALUE,
} from '../../src/access/paths/request-overrides.js';
import { createKey } from '../support/fixtures.js';
import { codeOf, DIALECTS, type Headers, presenting, startBilling } from './forward-auth-fixtures.js';
import { SEPARATORS, spellingsOf } from './header-spellings.js';

const { latchkey, key, limited, one, two, ask } = await startBilling();
afterAll(() => latchkey.close());

describe.each(DIALECTS)('forward auth for $name', (dialect) => {
  test('a request that the key was granted is allowed, and the response identifies the key', async () => {
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

  test('the query does not change the decision, whatever it contains', async () => {
    const queries = ['?verb=GET&uri=/other', '?X-Forwarded-Uri=/invoices', '?/invoices', '?a=/../me', '?'];
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

  test('the response names the Application in the path', async () => {
    const answer = await ask(dialect, 'GET', `/applications/${one}/invoices`, presenting(limited));
    expect(answer).toMatchObject({
      status: 200,
      headers: {
        'x-latchkey-application-id': String(one),
        'x-latchkey-endpoint': 'GET /applications/{applicationId}/invoices',
      },
    });
  });

  test('a request that the key was not granted is refused with the reason', async () => {
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

  test('a missing or invalid key is refused, and the response says how to present one', async () => {
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

  test('HEAD is allowed wherever GET is, and no other METHOD is', async () => {
    const head = await ask(dialect, 'HEAD', '/invoices');
    expect(head).toMatchObject({ status: 200, headers: { 'x-latchkey-endpoint': 'GET /invoices' } });
    const others = await Promise.all(['OPTIONS', 'PUT', 'TRACE'].map((method) => ask(dialect, method, '/invoices')));
    expect(others.map(({ status }) => status)).toEqual([403, 403, 403]);
  });

  test('every ambiguous path of the vectors is refused', async () => {
    const vectors = JSON.parse(readFileSync(new URL('../access/path-vectors.json', import.meta.url), 'utf8')) as {
      raw: string;
      expect: 'segments' | 'ambiguous';
      why: string;
    }[];
    await latchkey.admin.put('/v1/services/vectors', {
      name: 'Vectors',
      openapi: { openapi: '3.1.0', paths: { '/only/this': { get: {} } } },
    });
    // Excludes characters that no header can contain, and blanks around a value, which are not part of it.
    const sendable = vectors.filter(({ raw }) => !/[\u0100-\uffff\0\r\n]|^[ \t]|[ \t]$/.test(raw));
    expect(sendable.length).toBeGreaterThan(150);
    const wrong: string[] = [];
    for (const { raw, expect: expected, why } of sendable) {
      const answer = await ask(dialect, 'GET', raw, presenting(key), 'vectors');
      // In Envoy's dialect the path follows the service's name. A path that does not begin with "/" changes that name.
      const code = dialect.name.startsWith('Envoy') && !/^[/?]/.test(raw) ? 'path-ambiguous' : codeOf(answer);
      if (answer.status !== 403 || code !== (expected === 'ambiguous' ? 'path-ambiguous' : 'endpoint-unknown')) {
        wrong.push(`${JSON.stringify(raw.slice(0, 60))} (${why}): ${answer.status} ${code}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('a request that may tell the upstream another METHOD or path is refused', async () => {
    const headers = OVERRIDE_HEADERS.flatMap(({ name }) => [name, name.toLowerCase(), ...spellingsOf(name)]);
    const queries = [
      ...OVERRIDE_PARAMETERS.flatMap(({ name }) => [
        `?${name}=DELETE`,
        `?a=b&${encodeURIComponent(name.toUpperCase())}`,
      ]),
      ...OVERRIDE_PARAMETERS_BY_VALUE.map(({ name }) => `?${name}=DELETE`),
    ];
    const answers = await Promise.all([
      ...headers.map((name) => ask(dialect, 'GET', '/invoices', [...presenting(key), [name, 'DELETE']])),
      ...queries.map((query) => ask(dialect, 'GET', `/invoices${query}`)),
    ]);
    const passed = [...headers, ...queries].filter((_, index) => codeOf(answers[index]!) !== 'path-ambiguous');
    expect(passed).toEqual([]);
    const own = await Promise.all(
      ['?payment_method=POST', '?method=invoice'].map((query) => ask(dialect, 'GET', `/invoices${query}`)),
    );
    expect(own.map(({ status }) => status)).toEqual([200, 200]);
  });

  test('a header that only proxies may write is refused in every spelling except the exact one', async () => {
    const names = [
      ...['Key-Id', 'Key-Name', 'Created-By', 'Application-Id', 'Endpoint', 'Error', 'Anything-Else'].map(
        (name) => `X-Latchkey-${name}`,
      ),
      ...['Method', 'Uri', 'For', 'Host', 'Proto', 'Prefix'].map((name) => `X-Forwarded-${name}`),
      ...['Method', 'Uri'].map((name) => `X-Original-${name}`),
      'X-Real-Ip',
    ];
    const spellings = names.flatMap(spellingsOf);
    const answers = await Promise.all(
      spellings.map((name) => ask(dialect, 'GET', '/invoices', [...presenting(key), [name, 'forged']])),
    );
    expect(spellings.filter((_, index) => codeOf(answers[index]!) !== 'path-ambiguous')).toEqual([]);
    // The exact names are accepted, because the proxies overwrite these headers.
    const written: Headers = ['X-Latchkey-Key-Id', 'x-latchkey-endpoint', 'X-Forwarded-For', 'X-REAL-IP'].map(
      (name) => [name, 'forged'],
    );
    expect((await ask(dialect, 'GET', '/invoices', [...presenting(key), ...written])).status).toBe(200);
    // A client may use its own names.
    const own: Headers = ['X_Tenant', 'Latchkey_Key_Id', 'X-Latch_Key', 'A_b', '_', 'x', 'X-'].map((name) => [
      name,
      '1',
    ]);
    expect((await ask(dialect, 'GET', '/invoices', [...presenting(key), ...own])).status).toBe(200);
  });

  test('a generated spelling of a reserved header is refused', async () => {
    const reserved = fc.constantFrom(
      ['x', 'latchkey', 'key', 'id'],
      ['x', 'forwarded', 'uri'],
      ['x', 'original', 'method'],
      ['x', 'real', 'ip'],
      ['x', 'http', 'method', 'override'],
      ['x', 'rewrite', 'url'],
    );
    const spelling = reserved
      .chain((words) =>
        fc.record({
          words: fc.tuple(...words.map((word) => fc.mixedCase(fc.constant(word)))),
          separators: fc.array(fc.constantFrom(...SEPARATORS), { minLength: words.length, maxLength: words.length }),
        }),
      )
      .map(({ words, separators }) =>
        words.map((word, index) => (index === 0 ? word : separators[index]! + word)).join(''),
      )
      .filter((name) => /[^-a-z0-9]/i.test(name));
    await fc.assert(
      fc.asyncProperty(spelling, async (name) => {
        const answer = await ask(dialect, 'GET', '/invoices', [...presenting(key), [name, 'DELETE']]);
        expect({ name, code: codeOf(answer) }).toEqual({ name, code: 'path-ambiguous' });
      }),
      { numRuns: 60 },
    );
  });

  test('a service that is not registered is refused', async () => {
    const answers = await Promise.all([
      ask(dialect, 'GET', '/invoices', presenting(key), 'unheard-of'),
      ask(dialect, 'GET', '/invoices', presenting(key), '%62illing'),
    ]);
    expect(answers.map(codeOf)).toEqual(['endpoint-unknown', 'endpoint-unknown']);
  });
});
