import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import { createKey } from '../support/fixtures.js';
import { codeOf, DIALECTS, type Headers, presenting, startBilling } from './forward-auth-fixtures.js';
import { startLatchkey } from '../support/harness.js';
import { spellingsOf } from './header-spellings.js';
import { readWithoutThread } from '../support/without-thread.js';
import { type RawAnswer, sendRaw } from '../support/raw-http.js';

const { latchkey, key, limited, one, two, askNginx } = await startBilling();
readWithoutThread(latchkey);
afterAll(() => latchkey.close());

describe('forward auth', () => {
  test('reads only the headers of its dialect, and refuses them if one is missing, repeated or empty', async () => {
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
    // In Envoy's dialect the path is the rest of the request's path, and headers have no effect.
    const envoy = await Promise.all([
      from('envoy', both('Forwarded')),
      sendRaw(latchkey.url, 'POST', '/v1/forward_auth/envoy/billing/invoices', [
        ...both('Forwarded'),
        ...presenting(key),
      ]),
    ]);
    expect(envoy.map(codeOf)).toEqual(['path-ambiguous', 'endpoint-not-allowed']);
  });

  test('refuses another spelling of a header that the proxy writes, with or without a value', async () => {
    for (const [dialect, prefix] of [
      ['forwarded', 'X-Forwarded'],
      ['original', 'X-Original'],
    ]) {
      const written: Headers = [[`${prefix}-Method`, 'GET'], [`${prefix}-URI`, '/invoices'], ...presenting(key)];
      const ask = (...headers: Headers): Promise<RawAnswer> =>
        sendRaw(latchkey.url, 'GET', `/v1/forward_auth/${dialect}/billing`, headers);
      expect((await ask(...written)).headers['x-latchkey-endpoint']).toBe('GET /invoices');
      const others = ['Method', 'URI'].flatMap((name) => spellingsOf(`${prefix}-${name}`));
      for (const name of others) {
        const answers = await Promise.all(
          ['', '/invoices/me', 'POST'].flatMap((value) => [
            // Before, after, and instead of the headers of the proxy.
            ask([name, value], ...written),
            ask(...written, [name, value]),
            ask(...written.slice(1), [name, value]),
          ]),
        );
        expect({ name, codes: answers.map(codeOf) }).toEqual({ name, codes: answers.map(() => 'path-ambiguous') });
      }
    }
  });

  test('refuses another spelling of a reserved header behind thousands of other headers', async () => {
    const { target, headers } = DIALECTS[0]!.ask('billing', 'GET', '/invoices', presenting(key));
    const crowd = Array.from({ length: 2500 }, (_, index) => [`x-${index}`, ''] as const);
    expect((await sendRaw(latchkey.url, 'GET', target, [...headers, ...crowd])).status).toBe(200);
    const answer = await sendRaw(latchkey.url, 'GET', target, [...headers, ...crowd, ['X-Latchkey_Key-Id', '1']]);
    expect(codeOf(answer)).toBe('path-ambiguous');
  });

  test('refuses a request that has a path in two places', async () => {
    const { method, headers } = DIALECTS[0]!.ask('billing', 'GET', '/invoices', presenting(key));
    const answer = await sendRaw(latchkey.url, method, '/v1/forward_auth/original/billing/invoices/me', headers);
    expect(codeOf(answer)).toBe('path-ambiguous');
  });

  test('refuses an unknown dialect', async () => {
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

  test('reports the first reason, in the order: key, path, endpoint, grant, Application', async () => {
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

  test('refuses a segment that some upstreams would match with a literal', async () => {
    const answers = await Promise.all(
      ['/invoices/ME', '/invoices/Me', '/invoices/me.json', '/INVOICES/7'].map((path) => askNginx('GET', path)),
    );
    expect(answers.map(codeOf)).toEqual(answers.map(() => 'path-ambiguous'));
    expect((await askNginx('GET', '/invoices/you')).status).toBe(200);
  });

  test('treats a path with a trailing slash as a different path', async () => {
    const answers = await Promise.all([askNginx('GET', '/invoices/'), askNginx('GET', '/files')]);
    expect(answers.map(codeOf)).toEqual(['endpoint-unknown', 'endpoint-unknown']);
  });

  test('allows a malformed Application id for a key for all Applications', async () => {
    const answer = await askNginx('GET', '/applications/anything/invoices');
    expect(answer).toMatchObject({ status: 200, headers: { 'x-latchkey-application-id': '' } });
  });

  test('percent-encodes the non-ASCII letters of a parameter in the response header', async () => {
    const path = '/invoices/{id}/größe/{größe}';
    const { body } = await latchkey.admin.get<{ skipped: { path: string }[] }>('/v1/services/billing');
    // Its literal can only be requested with an escape, so keys cannot be granted it.
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

  test('refuses a path of an ungrantable operation that an endpoint of the key matches too', async () => {
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
    // A skipped operation disappears with its document, once an admin has confirmed what keys can open then.
    const { '/files/{id}': files, '/jobs/{id}': jobs } = openapi.paths;
    const others = { ...openapi, paths: { '/files/{id}': files, '/jobs/{id}': jobs } };
    const put = await latchkey.admin.put<{ changedGrants: { digest: string } }>('/v1/services/beside', {
      name: 'Beside',
      openapi: others,
    });
    expect(put.status).toBe(200);
    expect((await ask('/files/x.json')).status).toBe(403);
    const { digest: confirmChanges } = put.body.changedGrants;
    const confirmed = { name: 'Beside', openapi: others, confirmChanges };
    expect((await latchkey.admin.put('/v1/services/beside', confirmed)).status).toBe(200);
    expect((await ask('/files/x.json')).status).toBe(200);
  });

  test('refuses such a path even if the service was stored without the patterns of its ungrantable operations', async () => {
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
    await latchkey.get(TransactionRunner).inTransaction(async (manager) => {
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
    const replica = await startLatchkey({}, { original: latchkey });
    const on = async (path: string): Promise<number> => {
      const { method, target, headers } = DIALECTS[0]!.ask('earlier', 'GET', path, presenting(holder));
      return (await sendRaw(replica.url, method, target, headers)).status;
    };
    const paths = ['/files/7', '/elsewhere/7', '/files/x.json', '/docs/7'];
    expect(await Promise.all(paths.map(on))).toEqual([200, 200, 403, 403]);
    await replica.close();
  });

  test('works for Latchkey itself behind the proxy, and allows only endpoints that the key was granted', async () => {
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

  test('reads every header, however many others the client sends before it', async () => {
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

  test('does not mistake a malformed header for a header of the proxy', async () => {
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
    // Blanks around a value are not part of it, and text after a body is not a header.
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

  test('responds without waiting for an announced body', async () => {
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

  test('responds only with 200, 401, 403 or 503, whatever it receives', async () => {
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

  test('returns the id of the request in every response', async () => {
    const answers = await Promise.all([
      askNginx('GET', '/invoices', [...presenting(key), ['X-Request-Id', 'mine-1']]),
      askNginx('GET', '/nothing', [...presenting(key), ['X-Request-Id', 'mine-2']]),
    ]);
    expect(answers.map(({ headers }) => headers['x-request-id'])).toEqual(['mine-1', 'mine-2']);
  });

  test('logs a refusal without the secret of the key', async () => {
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
