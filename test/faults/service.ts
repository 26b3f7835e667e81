import { randomUUID } from 'node:crypto';
import { Client } from '../support/client.js';
import { createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD } from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';
import { type Call, FILE_FORM_TYPE, fileForm } from './load.js';

export const DECISION_WAIT_MS = 1000;
export const DATABASE_WAIT_MS = 2000;
/** How much a busy machine may add to any wait. */
const SLACK_MS = 5000;
const DECIDED_MS = DECISION_WAIT_MS + SLACK_MS;
/** A decision, a connection of the pool and a query may each use their whole time limit. Then the next one fails. */
const ANSWERED_MS = DECISION_WAIT_MS + 2 * DATABASE_WAIT_MS + SLACK_MS;
const EXPIRY = '2099-06-30T22:00:00Z';

/** A running service with some data. */
export interface Service {
  server: ServerProcess;
  admin: Client;
  applicationId: number;
  campaign: string;
  /** A key that can list campaigns. */
  alive: MadeKey;
  /** A deleted key. The response to its deletion has arrived. */
  dead: MadeKey;
}

/** Starts the built service on a database and creates some data. */
export async function startService(
  databaseUrl: string,
  environment: { [name: string]: string } = {},
  runBy: string[] = [],
): Promise<Service> {
  const server = await startServer(
    {
      DATABASE_URL: databaseUrl,
      DECISION_WAIT_MS: String(DECISION_WAIT_MS),
      DATABASE_WAIT_MS: String(DATABASE_WAIT_MS),
      ...environment,
    },
    runBy,
  );
  const admin = await signIn(server.url);
  const applicationId = await createApplication(admin, `Application ${randomUUID()}`);
  const campaigns = `/v1/applications/${applicationId}/campaigns`;
  const campaign = await admin.post<{ id: number }>(campaigns, { name: 'A campaign' });
  const alive = await createKey(admin, { expiryDate: EXPIRY });
  const dead = await createKey(admin, { expiryDate: EXPIRY });
  await admin.delete(`/v1/api_keys/${dead.id}`);
  return { server, admin, applicationId, campaign: `${campaigns}/${campaign.body.id}`, alive, dead };
}

/** Signs the first admin in. */
export async function signIn(url: string): Promise<Client> {
  const answer = await new Client(url, undefined, new Set()).post<{ token: string }>('/v1/sessions', {
    email: ADMIN_EMAIL,
    password: ADMIN_PASSWORD,
  });
  if (answer.status !== 201) {
    throw new Error(`no session: ${JSON.stringify(answer.body)}`);
  }
  return new Client(url, `Bearer ${answer.body.token}`, new Set());
}

/** Returns a file of new coupons to upload. */
export function someCoupons(count: number): string {
  const prefix = randomUUID();
  return fileForm(`value\n${Array.from({ length: count }, (_, row) => `${prefix}-${row}`).join('\n')}\n`);
}

/** Returns all kinds of requests, one for every way in which the service depends on its database. */
export function everyKind({ admin, alive, dead, applicationId, campaign }: Service): { [kind: string]: Call } {
  const path = `/v1/applications/${applicationId}/campaigns`;
  const authorization = admin.authorization!;
  const json = { authorization, 'content-type': 'application/json' };
  const key = ({ key: secret }: MadeKey) => ({ authorization: `ManagementKey-v1 ${secret}` });
  const proxied = { 'x-original-method': 'GET', 'x-original-uri': path };
  const forward = { method: 'GET', path: '/v1/forward_auth/original/management', withinMs: DECIDED_MS };
  return {
    'forward auth of a living key': { ...forward, headers: { ...proxied, ...key(alive) }, good: 200 },
    'forward auth of a deleted key': { ...forward, headers: { ...proxied, ...key(dead) }, good: 401 },
    'route with a living key': { method: 'GET', path, headers: key(alive), good: 200, withinMs: ANSWERED_MS },
    'route with a deleted key': { method: 'GET', path, headers: key(dead), good: 401, withinMs: DECIDED_MS },
    verification: {
      method: 'POST',
      path: '/v1/verifications',
      headers: json,
      body: () => JSON.stringify({ key: alive.key, method: 'GET', path }),
      good: 200,
      withinMs: 2 * DECISION_WAIT_MS + SLACK_MS,
    },
    list: { method: 'GET', path: '/v1/users', headers: { authorization }, good: 200, withinMs: ANSWERED_MS },
    change: {
      method: 'PUT',
      path: campaign,
      headers: json,
      body: () => JSON.stringify({ name: `Renamed at ${performance.now()}` }),
      good: 200,
      withinMs: ANSWERED_MS,
    },
    'creation of a key': {
      method: 'POST',
      path: '/v1/api_keys',
      headers: json,
      body: () =>
        JSON.stringify({ name: randomUUID(), expiryDate: EXPIRY, endpoints: alive.endpoints.map(endpointOf) }),
      good: 201,
      withinMs: ANSWERED_MS,
    },
    import: {
      method: 'POST',
      path: `${campaign}/import_coupons`,
      headers: { authorization, 'content-type': FILE_FORM_TYPE },
      body: () => someCoupons(50),
      good: 200,
      withinMs: ANSWERED_MS + DATABASE_WAIT_MS,
    },
    'sign-in': {
      method: 'POST',
      path: '/v1/sessions',
      headers: { 'content-type': 'application/json' },
      body: () => JSON.stringify({ email: ADMIN_EMAIL, password: ADMIN_PASSWORD }),
      good: 201,
      withinMs: ANSWERED_MS + DATABASE_WAIT_MS,
    },
    readiness: { method: 'GET', path: '/health/ready', good: 200, withinMs: DECIDED_MS },
  };
}

function endpointOf({ service, method, path }: MadeKey['endpoints'][number]): object {
  return { service, method, path };
}
