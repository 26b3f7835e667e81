import vm from 'node:vm';
import { expect } from '@jest/globals';
import TalonOne from 'talon_one';
import type { ProblemBody } from '../support/client.js';
import { createKey } from '../support/fixtures.js';
import type { Latchkey } from '../support/harness.js';

/** The Management API of the public SDK. */
export type ManagementApi = InstanceType<typeof TalonOne.ManagementApi>;

/** How the SDK authenticates: the name of an authentication, and the prefix of the credential. */
export const KEY = { authentication: 'management_key', prefix: 'ManagementKey-v1' } as const;
export const SESSION = { authentication: 'manager_auth', prefix: 'Bearer' } as const;
export type Authentication = typeof KEY | typeof SESSION;

const CAMPAIGN = '/v1/applications/{applicationId}/campaigns/{campaignId}';

/** Every endpoint of the SDK that keys can be granted. */
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

/** Returns the SDK, set up as its README says. */
export function sdk(url: string, { authentication, prefix }: Authentication, credential: string): ManagementApi {
  const client = new TalonOne.ApiClient();
  client.basePath = url;
  const settings = client.authentications as unknown as Record<string, { apiKey?: string; apiKeyPrefix?: string }>;
  Object.assign(settings[authentication]!, { apiKey: credential, apiKeyPrefix: prefix });
  return new TalonOne.ManagementApi(client);
}

/** Returns the SDK with a caller who may use all of it: a key with every grant, or an admin's session. */
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

/** The error with which the SDK rejects a refusal. */
export interface Refusal {
  status: number;
  body: ProblemBody | Buffer;
  response: { type: string };
}

/** Returns the problem of a call that must be refused, as the SDK passes it on. */
export async function problemOf(call: Promise<unknown>): Promise<ProblemBody> {
  const refusal = await call.then(
    () => undefined,
    (error: Refusal) => error,
  );
  if (refusal === undefined) {
    throw new Error('the call was not refused');
  }
  // For operations that respond with text, the SDK keeps a refusal as bytes.
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

/** A model of the SDK. Its instances get the properties that it requires. */
interface Model {
  name: string;
  initialize(instance: object): void;
}

/** Checks that a value matches the SDK's types: the right model, with all required properties, and with valid times. */
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
 * Records everything that a terminal would show about problems: calls of `console`, and the warnings of Node. Those do
 * not reach jest's own `process`.
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
