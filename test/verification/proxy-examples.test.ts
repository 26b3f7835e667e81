import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readRawPath } from '../../src/access/paths/raw-path.js';
import { OVERRIDE_HEADERS } from '../../src/access/paths/request-overrides.js';
import { createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { spellingsOf } from './header-spellings.js';
import { describeProxy, freePort, type ProxyName } from './proxies.js';
import { runExample, type RunningExample } from './proxy-example.js';
import { type RawAnswer, sendRaw } from '../support/raw-http.js';

/*
 * Tests the examples for nginx and Caddy with the real service and a real upstream. Only their ports are replaced.
 * Traefik, Envoy and APISIX cannot run here. forward-auth-dialects.test.ts sends the same requests as they do.
 */

const OPENAPI = {
  openapi: '3.1.0',
  paths: {
    '/orders': { get: {}, post: {} },
    '/orders/{id}': { get: {}, delete: {} },
    '/orders/me': { get: {} },
    '/applications/{applicationId}/orders': { get: {} },
  },
};

// Every unambiguous path is granted in one of these services, so that only ambiguity can be the reason for a refusal.
// (In a single service, each would be ambiguous with its twin.)
const ANY_PATH = {
  unslashed: ['/{a}', '/{a}/{b}', '/{a}/{b}/{c}', '/{a}/{b}/{c}/{d}'],
  slashed: ['/', '/{a}/', '/{a}/{b}/', '/{a}/{b}/{c}/', '/{a}/{b}/{c}/{d}/'],
};

/** The request that the upstream received. */
interface Received {
  method: string;
  url: string;
  headers: Record<string, string[]>;
  body: string;
}

type Headers = (readonly [name: string, value: string])[];

let latchkey: Latchkey;
let upstream: Server;
let key: MadeKey;
let limited: MadeKey;
let anything: MadeKey;
let one: number;
let two: number;

beforeAll(async () => {
  latchkey = await startLatchkey();
  one = await createApplication(latchkey.admin);
  two = await createApplication(latchkey.admin);
  await latchkey.admin.put('/v1/services/orders', { name: 'Orders', openapi: OPENAPI });
  for (const [service, templates] of Object.entries(ANY_PATH)) {
    const paths = Object.fromEntries(templates.map((path) => [path, { get: {} }]));
    await latchkey.admin.put(`/v1/services/${service}`, { name: service, openapi: { openapi: '3.1.0', paths } });
  }
  const orders = (method: string, path: string): object => ({ service: 'orders', method, path });
  const ofApplication = orders('GET', '/applications/{applicationId}/orders');
  key = await createKey(latchkey.admin, {
    endpoints: [orders('GET', '/orders/{id}'), orders('POST', '/orders'), ofApplication],
  });
  limited = await createKey(latchkey.admin, { endpoints: [ofApplication], allowedApplicationIds: [one] });
  anything = await createKey(latchkey.admin, {
    endpoints: Object.entries(ANY_PATH).flatMap(([service, paths]) =>
      paths.map((path) => ({ service, method: 'GET', path })),
    ),
  });
  upstream = createServer((request, response) => {
    const { method, url, headersDistinct: headers } = request;
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const answer = Buffer.from(JSON.stringify({ method, url, headers, body }));
      response.writeHead(200, { 'Content-Length': answer.length }).end(answer);
    });
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
});

afterAll(async () => {
  upstream.closeAllConnections();
  upstream.close();
  await latchkey.close();
});

/** Runs an example with the upstream. `change` modifies the example. */
function startExample(
  proxy: ProxyName,
  change?: (example: string) => string,
  latchkeyUrl = latchkey.url,
): Promise<RunningExample> {
  return runExample(proxy, latchkeyUrl, (upstream.address() as AddressInfo).port, change);
}

function presenting({ key: secret }: { key: string }, ...headers: Headers): Headers {
  return [['Authorization', `ManagementKey-v1 ${secret}`], ...headers];
}

function receivedBy({ status, body }: RawAnswer): Received {
  expect(status).toBe(200);
  return JSON.parse(body) as Received;
}

for (const proxy of ['nginx', 'caddy'] as const) {
  describeProxy(proxy, `behind the example for ${proxy}`, () => {
    let running: RunningExample | undefined;
    const send = (method: string, path: string, headers: Headers, body?: string): Promise<RawAnswer> =>
      sendRaw(running!.url, method, path, headers, body);

    beforeAll(async () => {
      running = await startExample(proxy);
    });
    afterAll(() => running?.stop());

    test('the upstream receives the request and the identity of the key, but not its secret', async () => {
      const post = await send('POST', '/orders?a=%20b', presenting(key, ['Content-Length', '5']), 'hello');
      const received = receivedBy(post);
      expect(received).toMatchObject({ method: 'POST', url: '/orders?a=%20b', body: 'hello' });
      expect(received.headers).toMatchObject({
        'x-latchkey-key-id': [String(key.id)],
        'x-latchkey-key-name': [encodeURIComponent(key.name)],
        'x-latchkey-created-by': [String(key.createdBy)],
        'x-latchkey-endpoint': ['POST /orders'],
      });
      expect(received.headers).not.toHaveProperty('authorization');
      const { headers } = receivedBy(await send('GET', `/applications/${one}/orders`, presenting(limited)));
      expect(headers['x-latchkey-application-id']).toEqual([String(one)]);
    });

    test('a request that the key was not granted does not reach the upstream', async () => {
      const answers = await Promise.all([
        send('GET', '/orders/7', []),
        send('GET', '/orders/7', [['Authorization', 'ManagementKey-v1 nonsense']]),
        send('DELETE', '/orders/7', presenting(key)),
        send('GET', '/orders/me', presenting(key)),
        send('GET', '/nothing/at/all', presenting(key)),
        send('GET', `/applications/${two}/orders`, presenting(limited)),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 403, 403, 403, 403]);
      expect(answers[0]!.headers['www-authenticate']).toContain('ManagementKey-v1');
      expect(answers.map(({ headers }) => headers['x-latchkey-error'])).toEqual([
        'credential-missing',
        'malformed',
        'endpoint-not-allowed',
        'endpoint-not-allowed',
        'endpoint-unknown',
        'application-not-allowed',
      ]);
      expect((await send('GET', '/orders/7', presenting(key))).headers).not.toHaveProperty('x-latchkey-error');
    });

    test('the query does not change the decision, whatever it contains', async () => {
      const query = '?verb=GET&uri=/other&X-Forwarded-Uri=/orders/7&service=slashed';
      expect(receivedBy(await send('GET', `/orders/7${query}`, presenting(key))).url).toBe(`/orders/7${query}`);
      expect((await send('GET', `/orders/me${query}`, presenting(key))).status).toBe(403);
      expect((await send('DELETE', `/orders/7${query}`, presenting(key))).status).toBe(403);
      expect((await send('GET', `/orders${query}`, presenting(key))).status).toBe(403);
    });

    test('a key is refused as soon as its deletion has been confirmed', async () => {
      const endpoints = [{ service: 'orders', method: 'GET', path: '/orders/{id}' }];
      const deleted = await createKey(latchkey.admin, { endpoints });
      receivedBy(await send('GET', '/orders/7', presenting(deleted)));
      await latchkey.admin.delete(`/v1/api_keys/${deleted.id}`);
      expect((await send('GET', '/orders/7', presenting(deleted))).status).toBe(401);
    });

    test('a client cannot forge a header that the upstream or Latchkey trusts', async () => {
      const forged: Headers = [
        ...['Key-Id', 'Key-Name', 'Created-By', 'Application-Id', 'Endpoint'].flatMap((name): Headers => [
          [`X-Latchkey-${name}`, 'forged'],
          [`X_Latchkey_${name.replace('-', '_')}`, 'forged'],
          [`x-latchkey-${name}`, 'forged'],
        ]),
        ...['For', 'Proto', 'Host', 'Port', 'Server', 'Path', 'Prefix'].map((name): Headers[number] => [
          `X-Forwarded-${name}`,
          'forged',
        ]),
        ...['X-Forwarded', 'X-Original'].flatMap((prefix): Headers => [
          [`${prefix}-Method`, 'POST'],
          [`${prefix}-URI`, '/orders'],
        ]),
        ['X-Real-IP', 'forged'],
        ['Forwarded', 'for=forged'],
        // Asks proxies to drop the headers that they have just set.
        ['Connection', 'X-Latchkey-Application-Id, X-Latchkey-Key-Id, X-Forwarded-Uri, X-Original-URI'],
      ];
      const { headers, ...received } = receivedBy(
        await send('GET', `/applications/${one}/orders`, presenting(limited, ...forged)),
      );
      expect(received).toMatchObject({ method: 'GET', url: `/applications/${one}/orders` });
      expect(headers).toMatchObject({
        'x-latchkey-key-id': [String(limited.id)],
        'x-latchkey-application-id': [String(one)],
        'x-latchkey-endpoint': ['GET /applications/{applicationId}/orders'],
      });
      expect(JSON.stringify(headers)).not.toContain('forged');
      expect(Object.keys(headers).filter((name) => /^x.original|^x.forwarded.(method|uri)/.test(name))).toEqual([]);
      // A claimed METHOD does not change the decision either.
      expect((await send('DELETE', '/orders/me', presenting(key, ...forged))).status).toBe(403);
    });

    test.each(OVERRIDE_HEADERS)(
      'a request with $name is refused, or the proxy removes the header',
      async ({ name }) => {
        const answer = await send('GET', '/orders/7', presenting(key, [name, 'DELETE']));
        // nginx drops names with underscores.
        if (proxy === 'nginx' && name.includes('_')) {
          expect(JSON.stringify(receivedBy(answer))).not.toContain('DELETE');
        } else {
          expect(answer.status).toBe(403);
        }
      },
    );

    test('no ambiguous path reaches the upstream, and every unambiguous path does', async () => {
      const vectors = JSON.parse(readFileSync(new URL('../access/path-vectors.json', import.meta.url), 'utf8')) as {
        raw: string;
        expect: 'segments' | 'ambiguous';
      }[];
      const wrong: unknown[] = [];
      for (const service of Object.keys(ANY_PATH)) {
        const everything = await startExample(proxy, (example) => example.replaceAll('/orders', `/${service}`));
        for (const { raw, expect: expected } of vectors) {
          // Skips paths that end a request line, or that no HTTP parser accepts.
          if (/[\0-\x20\u0100-\uffff]/.test(raw) || raw === '') continue;
          const { status, body } = await sendRaw(everything.url, 'GET', raw, presenting(anything));
          const url = status === 200 && body !== '' ? (JSON.parse(body) as Received).url : undefined;
          if (expected === 'segments') {
            const isGranted = /\/(?:\?|$)/.test(raw) === (service === 'slashed');
            const same = url !== undefined && (url === raw || (proxy === 'caddy' && sameSegments(url, raw)));
            if (same !== isGranted) wrong.push({ service, raw, status, url });
          } else if (url !== undefined) {
            // A proxy may normalise these, if the path that it requests a decision for and passes on is then
            // unambiguous.
            const tidied = !raw.startsWith('/') || /[\x80-\xff]/.test(raw);
            if (!tidied || readRawPath(url).kind === 'ambiguous') wrong.push({ service, raw, status, url });
          }
        }
        await everything.stop();
      }
      expect(wrong).toEqual([]);
    }, 60_000);

    test('nothing reaches the upstream while Latchkey is down', async () => {
      const alone = await startExample(proxy, undefined, `http://127.0.0.1:${await freePort()}`);
      const { status } = await sendRaw(alone.url, 'GET', '/orders/7', presenting(key));
      await alone.stop();
      expect(status).toBe(proxy === 'nginx' ? 503 : 502);
    });
  });
}

describeProxy('nginx', 'the example for nginx', () => {
  test.each(['X-Original-Method $request_method', 'X-Original-URI $request_uri'])(
    'refuses every request if the line with "%s" is missing',
    async (line) => {
      const incomplete = await startExample('nginx', (example) => {
        expect(example).toContain(`proxy_set_header ${line};`);
        return example.replace(`proxy_set_header ${line};`, '');
      });
      const { status } = await sendRaw(incomplete.url, 'GET', '/orders/7', presenting(key));
      await incomplete.stop();
      expect(status).toBe(403);
    },
  );
});

describe('the examples for Envoy and APISIX', () => {
  const read = (file: string): string => readFileSync(new URL(`../../examples/${file}`, import.meta.url), 'utf8');
  const overrides = OVERRIDE_HEADERS.map(({ name }) => name);

  test('pass every header that Latchkey refuses on to it, or drop it', () => {
    // Both drop or reject names with underscores.
    expect(read('envoy/envoy.yaml')).toContain('headers_with_underscores_action: REJECT_REQUEST');
    expect(read('apisix/config.yaml')).toContain("underscores_in_headers: 'off'");
    const shown = overrides.filter((name) => !name.includes('_'));
    const ofEnvoy = shown.filter((name) => !read('envoy/envoy.yaml').includes(`- { exact: ${name.toLowerCase()}, `));
    const ofApisix = shown.filter((name) => !read('apisix/apisix.yaml').includes(`- ${name}\n`));
    expect({ ofEnvoy, ofApisix }).toEqual({ ofEnvoy: [], ofApisix: [] });
  });

  test('pass every other spelling of reserved headers on to Latchkey, because Envoy cannot drop them', () => {
    const [, pattern] = /safe_regex: \{ regex: '(.*)' \}/.exec(read('envoy/envoy.yaml'))!;
    const names = [...overrides, 'X-Latchkey-Application-Id', 'X-Forwarded-Uri', 'X-Original-Method', 'X-Real-Ip'];
    const spellings = names.flatMap(spellingsOf).map((name) => name.toLowerCase());
    const envoyPasses = new RegExp(`^(?:${pattern})$`);
    expect(spellings.filter((name) => !envoyPasses.test(name))).toEqual([]);
    expect(names.map((name) => name.toLowerCase()).filter((name) => envoyPasses.test(name))).toEqual([]);
  });
});

function sameSegments(one: string, other: string): boolean {
  const paths = [readRawPath(one), readRawPath(other)];
  const [first, second] = paths.map((path) => (path.kind === 'segments' ? JSON.stringify(path.segments) : path.reason));
  return first === second;
}
