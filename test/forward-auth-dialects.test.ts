import { readFileSync } from 'node:fs';
import { createKey, type MadeKey } from './fixtures.js';
import {
  askIn,
  type Billing,
  codeOf,
  DIALECTS,
  type Dialect,
  type Headers,
  presenting,
  startBilling,
} from './forward-auth-fixtures.js';
import { type Latchkey } from './harness.js';
import { type RawAnswer } from './raw-http.js';

let billing: Billing;
let latchkey: Latchkey;
let key: MadeKey;
let limited: MadeKey;
let one: number;
let two: number;

beforeAll(async () => {
  billing = await startBilling();
  ({ latchkey, key, limited, one, two } = billing);
});
afterAll(() => billing.latchkey.close());

const ask = (dialect: Dialect, method: string, path: string, headers?: Headers, service?: string): Promise<RawAnswer> =>
  askIn(dialect, billing, method, path, headers, service);

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
