import type { Answer, Client } from '../support/client.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

export interface EndpointBody {
  method: string;
  path: string;
  scope: string;
  summary: string;
  tag: string;
  deprecated: boolean;
}

export interface Difference {
  service: string;
  dryRun: boolean;
  endpointCount: number;
  added: EndpointBody[];
  removed: EndpointBody[];
  changed: (EndpointBody & { differences: { field: string; from: string; to: string }[] })[];
  skipped: { method: string; path: string; reason: string }[];
  affectedKeys: { totalResultSize: number; data: { id: number; name: string; hint: string }[] };
  changedGrants: {
    digest: string | null;
    confirmed: boolean;
    totalResultSize: number;
    data: {
      id: number;
      name: string;
      hint: string;
      method: string;
      path: string;
      differences: { field: string; from: string; to: string }[];
    }[];
    takenOver: { method: string; path: string }[];
  };
}

export interface Service {
  service: string;
  name: string;
  description: string;
  applicationParameter: string;
  created: string;
  modified: string;
  endpointCount: number;
  skippedCount: number;
  endpoints: EndpointBody[];
  skipped: Difference['skipped'];
}

/** Registers a service with a document. */
export function putService<Body = Difference>(
  admin: Client,
  service: string,
  openapi: unknown,
  more: Record<string, unknown> = {},
  query = '',
): Promise<Answer<Body>> {
  return admin.put<Body>(`/v1/services/${service}${query}`, { name: service, openapi, ...more });
}

/** Returns a document with these paths. */
export function document(paths: unknown, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { openapi: '3.1.0', info: { title: 'Test', version: '1' }, paths, ...more };
}

/** Returns METHOD and path of endpoints, sorted. */
export function names(endpoints: readonly { method: string; path: string }[]): string[] {
  return endpoints.map(({ method, path }) => `${method} ${path}`).sort();
}

/** Returns the grantable endpoints of a service. */
export async function grantableOf(admin: Client, service: string, query = ''): Promise<EndpointBody[]> {
  const { body } = await admin.get<{ totalResultSize: number; data: EndpointBody[] }>(
    `/v1/endpoints?service=${service}&pageSize=1000${query}`,
  );
  return body.data;
}

/** Registers a document, and returns the outcome of each of its operations. */
export async function outcomeOf(admin: Client, openapi: unknown): Promise<Record<string, string>> {
  const { status, body } = await putService(admin, 'probe', openapi, {}, '?dryRun=true');
  expect([status, body]).toMatchObject([200, { dryRun: true }]);
  return Object.fromEntries([
    ...body.added.map(({ method, path, scope }) => [`${method} ${path}`, scope]),
    ...body.skipped.map(({ method, path, reason }) => [`${method} ${path}`, reason]),
  ]) as Record<string, string>;
}

/** Latchkey, and what tests do with services as the first admin. */
export interface Services {
  latchkey: Latchkey;
  put<Body = Difference>(
    service: string,
    openapi: unknown,
    more?: Record<string, unknown>,
    query?: string,
  ): Promise<Answer<Body>>;
  grantable(service: string, query?: string): Promise<EndpointBody[]>;
  outcome(openapi: unknown): Promise<Record<string, string>>;
}

/** Starts Latchkey for tests of services. */
export async function startServices(): Promise<Services> {
  const latchkey = await startLatchkey();
  const { admin } = latchkey;
  return {
    latchkey,
    put: (service, openapi, more, query) => putService(admin, service, openapi, more, query),
    grantable: (service, query) => grantableOf(admin, service, query),
    outcome: (openapi) => outcomeOf(admin, openapi),
  };
}
