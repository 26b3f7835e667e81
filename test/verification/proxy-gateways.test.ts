import { fileURLToPath } from 'node:url';
import { OVERRIDE_HEADERS } from '../../src/access/paths/request-overrides.js';
import { createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { spellingsOf } from './header-spellings.js';
import { describeInstalled, freePort, type ProxyName, type RunningProgram, startProgram } from './proxies.js';
import { runExample, type RunningExample } from './proxy-example.js';
import { sendRaw } from '../support/raw-http.js';

/*
 * Tests the examples for nginx and Caddy with upstreams that convert headers to CGI variables, which do not distinguish
 * hyphens from underscores: Python's wsgiref, and PHP with FastCGI.
 */

/** A server that gives CGI variables to its application, which returns them in its response. */
interface Gateway {
  name: string;
  program: string;
  parameters(port: number): string[];
  /** How to change an example so that it works with this server. */
  change: Record<ProxyName, (example: string) => string>;
}

const PHP_SCRIPT = fileURLToPath(new URL('../gateways/environment.php', import.meta.url));

const GATEWAYS: Gateway[] = [
  {
    name: 'WSGI',
    program: 'python3',
    parameters: (port) => [fileURLToPath(new URL('../gateways/wsgi.py', import.meta.url)), String(port)],
    change: { nginx: (example) => example, caddy: (example) => example },
  },
  {
    name: 'FastCGI',
    program: 'php-cgi',
    parameters: (port) => ['-b', `127.0.0.1:${port}`],
    change: {
      // The same lines for FastCGI: `fastcgi_param` overwrites here what `proxy_set_header` overwrites.
      nginx: (example) =>
        inApplicationLocation(example, (location) =>
          location
            .replaceAll(/proxy_set_header (\S+) (\S+);/g, (_, name: string, value: string) => {
              return `fastcgi_param HTTP_${name.toUpperCase().replaceAll('-', '_')} ${value};`;
            })
            .replace('proxy_http_version 1.1;', '')
            .replace(
              'proxy_pass http://application;',
              `fastcgi_param SCRIPT_FILENAME ${PHP_SCRIPT};
               fastcgi_param REQUEST_METHOD $request_method;
               fastcgi_param REQUEST_URI $request_uri;
               fastcgi_pass application;`,
            ),
        ),
      caddy: (example) =>
        example.replace(
          'reverse_proxy 127.0.0.1:9000',
          `reverse_proxy 127.0.0.1:9000 {
             transport fastcgi {
               env SCRIPT_FILENAME ${PHP_SCRIPT}
             }
           }`,
        ),
    },
  },
];

/** Names that tell an upstream who the caller is, where it comes from, or what it requests. */
const RESERVED = [
  ...['Key-Id', 'Key-Name', 'Created-By', 'Application-Id', 'Endpoint'].map((name) => `X-Latchkey-${name}`),
  ...['For', 'Host', 'Proto', 'Port', 'Server', 'Method', 'Uri', 'Path', 'Prefix'].map((name) => `X-Forwarded-${name}`),
  ...['Method', 'Uri'].map((name) => `X-Original-${name}`),
  'X-Real-Ip',
  'Forwarded',
  ...OVERRIDE_HEADERS.map(({ name }) => name),
];

let latchkey: Latchkey;
let key: MadeKey;
let application: number;

beforeAll(async () => {
  latchkey = await startLatchkey();
  application = await createApplication(latchkey.admin);
  const path = '/applications/{applicationId}/orders';
  const openapi = { openapi: '3.1.0', paths: { [path]: { get: {} } } };
  await latchkey.admin.put('/v1/services/orders', { name: 'Orders', openapi });
  key = await createKey(latchkey.admin, {
    endpoints: [{ service: 'orders', method: 'GET', path }],
    allowedApplicationIds: [application],
  });
});
afterAll(() => latchkey.close());

for (const proxy of ['nginx', 'caddy'] as const) {
  for (const gateway of GATEWAYS) {
    describeInstalled([proxy, gateway.program], `behind the example for ${proxy}, with ${gateway.name}`, () => {
      let upstream: RunningProgram | undefined;
      let running: RunningExample | undefined;

      beforeAll(async () => {
        const port = await freePort();
        upstream = await startProgram(gateway.program, gateway.parameters(port), port);
        running = await runExample(proxy, latchkey.url, port, gateway.change[proxy]);
      });
      afterAll(async () => {
        await running?.stop();
        await upstream?.stop();
      });

      /** Returns the CGI variables of a request, or the status of its refusal. */
      const variablesOf = async (...forged: string[]): Promise<Record<string, string> | number> => {
        const { status, body } = await sendRaw(running!.url, 'GET', `/applications/${application}/orders`, [
          ['Authorization', `ManagementKey-v1 ${key.key}`],
          ...forged.map((name) => [name, 'forged'] as const),
        ]);
        return status === 200 ? (JSON.parse(body) as Record<string, string>) : status;
      };

      const trustedVariables = (): Record<string, string> => ({
        REQUEST_METHOD: 'GET',
        HTTP_X_LATCHKEY_KEY_ID: String(key.id),
        HTTP_X_LATCHKEY_KEY_NAME: encodeURIComponent(key.name),
        HTTP_X_LATCHKEY_CREATED_BY: String(key.createdBy),
        HTTP_X_LATCHKEY_APPLICATION_ID: String(application),
        HTTP_X_LATCHKEY_ENDPOINT: 'GET /applications/{applicationId}/orders',
      });

      test('the application receives the identity of the key, but not its secret', async () => {
        const variables = await variablesOf();
        expect(variables).toMatchObject(trustedVariables());
        expect(variables).not.toHaveProperty('HTTP_AUTHORIZATION');
      });

      test.each(RESERVED)('no spelling of %s reaches the application with a forged value', async (name) => {
        for (const spelling of [name, name.toLowerCase(), ...spellingsOf(name)]) {
          const variables = await variablesOf(spelling);
          if (variables !== 403) {
            expect(variables).toMatchObject(trustedVariables());
            expect({ spelling, forged: namesOfForged(variables) }).toEqual({ spelling, forged: [] });
          }
        }
      });

      test('the proxy alone removes every spelling of the headers that it or Latchkey sets', async () => {
        const names = RESERVED.filter((name) => /^X-(Latchkey|Forwarded)-/.test(name));
        const variables = await variablesOf(...names.flatMap(spellingsOf));
        expect(variables).toMatchObject(trustedVariables());
        expect(namesOfForged(variables)).toEqual([]);
      });

      test('no forged value reaches the application if a client sends all these headers at once', async () => {
        const refusable = OVERRIDE_HEADERS.map(({ name }) => name);
        const variables = await variablesOf(...RESERVED.filter((name) => !refusable.includes(name)));
        expect(variables).toMatchObject(trustedVariables());
        expect(namesOfForged(variables)).toEqual([]);
      });
    });
  }
}

function namesOfForged(variables: Record<string, string> | number): string[] {
  return Object.entries(variables)
    .filter(([, value]) => String(value).includes('forged'))
    .map(([name]) => name);
}

function inApplicationLocation(example: string, change: (location: string) => string): string {
  const start = example.indexOf('location / {');
  const end = example.indexOf('location = /_latchkey');
  return example.slice(0, start) + change(example.slice(start, end)) + example.slice(end);
}
