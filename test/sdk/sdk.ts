import vm from 'node:vm';
import { expect } from '@jest/globals';
import TalonOne from 'talon_one';
import type { ProblemBody } from '../support/client.js';
import { createKey } from '../support/fixtures.js';
import type { Latchkey } from '../support/harness.js';

/** The Management API of the public SDK. */
export type ManagementApi = InstanceType<typeof TalonOne.ManagementApi>;

/** How the SDK says who calls: the name of an authentication, and what it writes in front of the credential. */
export const KEY = { authentication: 'management_key', prefix: 'ManagementKey-v1' } as const;
export const SESSION = { authentication: 'manager_auth', prefix: 'Bearer' } as const;
export type Authentication = typeof KEY | typeof SESSION;

const CAMPAIGN = '/v1/applications/{applicationId}/campaigns/{campaignId}';

/** Every endpoint of the SDK that can be granted. */
const GRANTS = [
  'GET /v1/users',
  'GET /v1/users/{userId}',
  'GET /v1/applications',
  'GET /v1/applications/{applicationId}',
  'GET /v1/applications/{applicationId}/campaigns',
  `GET ${CAMPAIGN}`,
  `PUT ${CAMPAIGN}`,
  `DELETE ${CAMPAIGN}`,
  `POST ${CAMPAIGN}/import_coupons`,
  `POST ${CAMPAIGN}/coupons`,
  `GET ${CAMPAIGN}/coupons/no_total`,
  `PUT ${CAMPAIGN}/coupons/{couponId}`,
  `DELETE ${CAMPAIGN}/coupons/{couponId}`,
  `DELETE ${CAMPAIGN}/coupons`,
  'GET /v1/applications/{applicationId}/export_coupons',
  'GET /v1/changes',
].map((endpoint) => ({ method: endpoint.split(' ')[0]!, path: endpoint.split(' ')[1]! }));

/** The SDK, set up as its README says. */
export function sdk(url: string, { authentication, prefix }: Authentication, credential: string): ManagementApi {
  const client = new TalonOne.ApiClient();
  client.basePath = url;
  const settings = client.authentications as unknown as Record<string, { apiKey?: string; apiKeyPrefix?: string }>;
  Object.assign(settings[authentication]!, { apiKey: credential, apiKeyPrefix: prefix });
  return new TalonOne.ManagementApi(client);
}

/** The SDK for somebody who may do all that it has: with a key that has every grant, or with an admin's session. */
export async function fullSdk(
  { admin, url }: Latchkey,
  authentication: Authentication,
  allowedApplicationIds: number[] = [],
): Promise<ManagementApi> {
  if (authentication === SESSION) {
    return sdk(url, SESSION, admin.authorization!.replace('Bearer ', ''));
  }
  const grants = allowedApplicationIds.length === 0 ? GRANTS : GRANTS.filter(({ path }) => path.includes('{app'));
  return sdk(url, KEY, (await createKey(admin, { endpoints: grants, allowedApplicationIds })).key);
}

/** What the SDK rejects with when the service refuses. */
export interface Refusal {
  status: number;
  body: ProblemBody | Buffer;
  response: { type: string };
}

/** The problem of a call that must be refused, as the SDK hands it on. */
export async function problemOf(call: Promise<unknown>): Promise<ProblemBody> {
  const refusal = await call.then(
    () => undefined,
    (error: Refusal) => error,
  );
  if (refusal === undefined) {
    throw new Error('the call was not refused');
  }
  // Of operations that answer with text, the SDK keeps refusals as the bytes that they are.
  const { body } = refusal;
  const problem = Buffer.isBuffer(body) ? (JSON.parse(body.toString()) as ProblemBody) : body;
  expect(refusal.response.type).toBe('application/problem+json');
  expect(problem).toMatchObject({
    type: expect.any(String),
    title: expect.any(String),
    detail: expect.any(String),
    instance: expect.any(String),
    status: refusal.status,
  });
  return problem;
}

/** A model of the SDK: it sets in its instances what its description requires. */
interface Model {
  name: string;
  initialize(instance: object): void;
}

/** Checks that something is what the SDK's types say: of the model, with all that it requires, and with real times. */
export function expectTyped(value: unknown, model: unknown): void {
  expect(value).toBeInstanceOf(model as new () => unknown);
  const required = {};
  (model as Model).initialize(required);
  const fields = value as Record<string, unknown>;
  const missing = Object.keys(required).filter((field) => fields[field] === undefined || fields[field] === null);
  const wrong = Object.keys(fields).filter((field) => String(fields[field]) === 'Invalid Date');
  expect({ model: (model as Model).name, missing, wrong }).toEqual({
    model: (model as Model).name,
    missing: [],
    wrong: [],
  });
}

/**
 * Notes what shows in a terminal when something is wrong: calls of `console`, and the warnings of Node, which are not
 * those of jest's own `process`.
 */
export class Warnings {
  readonly seen: string[] = [];
  private readonly process = vm.runInThisContext('process') as NodeJS.Process;
  private readonly note = (...warning: unknown[]): void => void this.seen.push(warning.join(' '));
  private readonly methods = ['log', 'info', 'warn', 'error', 'trace', 'debug'] as const;
  private readonly originals = this.methods.map((method) => console[method]);

  constructor() {
    this.methods.forEach((method) => (console[method] = this.note));
    this.process.on('warning', this.note);
  }

  stop(): void {
    this.methods.forEach((method, place) => (console[method] = this.originals[place]!));
    this.process.off('warning', this.note);
  }
}
