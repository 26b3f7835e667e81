import type { ProblemBody } from '../support/client.js';
import { createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { type RawAnswer, sendRaw } from '../support/raw-http.js';

export type Headers = (readonly [name: string, value: string])[];

/** How a proxy requests a decision about a request of its client. */
export interface Dialect {
  name: string;
  ask: (
    service: string,
    method: string,
    path: string,
    headers: Headers,
  ) => { method: string; target: string; headers: Headers };
}

/** Requests as these proxies send them, as far as it matters here: what they add, and in which order. */
export const DIALECTS: Dialect[] = [
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

/** A service behind a proxy, with a key that opens some of it, and a key for a single Application. */
export interface Billing {
  latchkey: Latchkey;
  key: MadeKey;
  limited: MadeKey;
  one: number;
  two: number;
  /** Requests a decision as a proxy does, with `key` and for the service unless others are given. */
  ask(dialect: Dialect, method: string, path: string, headers?: Headers, service?: string): Promise<RawAnswer>;
  /** Requests a decision in the dialect of nginx, which can express everything. */
  askNginx(method: string, path: string, headers?: Headers, service?: string): Promise<RawAnswer>;
}

/** Starts Latchkey with the service. */
export async function startBilling(): Promise<Billing> {
  const latchkey = await startLatchkey();
  const one = await createApplication(latchkey.admin);
  const two = await createApplication(latchkey.admin);
  const { status } = await latchkey.admin.put('/v1/services/billing', { name: 'Billing', openapi: OPENAPI });
  expect([200, 201]).toContain(status);
  const key = await createKey(latchkey.admin, {
    name: 'Ümlaut & "quotes", 100 %',
    endpoints: [
      { service: 'billing', method: 'GET', path: '/invoices' },
      { service: 'billing', method: 'GET', path: '/invoices/{id}' },
      { service: 'billing', method: 'GET', path: '/applications/{applicationId}/invoices' },
    ],
  });
  const limited = await createKey(latchkey.admin, {
    endpoints: [{ service: 'billing', method: 'GET', path: '/applications/{applicationId}/invoices' }],
    allowedApplicationIds: [one],
  });
  const ask: Billing['ask'] = (dialect, method, path, headers = presenting(key), service = 'billing') => {
    const question = dialect.ask(service, method, path, headers);
    return sendRaw(latchkey.url, question.method, question.target, question.headers);
  };
  const askNginx: Billing['askNginx'] = (...question) => ask(DIALECTS[0]!, ...question);
  return { latchkey, key, limited, one, two, ask, askNginx };
}

/** Returns the header with a key. */
export function presenting({ key: secret }: { key: string }): Headers {
  return [['Authorization', `ManagementKey-v1 ${secret}`]];
}

/** Returns the code of a refusal. */
export function codeOf(answer: RawAnswer): string {
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  const { code } = JSON.parse(answer.body) as ProblemBody;
  // Some proxies do not pass the body on.
  expect(answer.headers['x-latchkey-error']).toBe(code);
  return code;
}
