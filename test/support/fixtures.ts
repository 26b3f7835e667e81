import type { Client } from './client.js';
import type { Latchkey } from './harness.js';

/** The endpoint that most tests grant. It has application scope and changes nothing. */
export const CAMPAIGNS = { method: 'GET', path: '/v1/applications/{applicationId}/campaigns' };

/** A key as the response to its creation shows it. */
export interface MadeKey {
  id: number;
  name: string;
  key: string;
  hint: string;
  state: string;
  stateReason: string | null;
  disabled: boolean;
  expiryDate: string;
  allApplications: boolean;
  allowedApplicationIds: number[];
  createdBy: number;
  lastUsed: string | null;
  endpoints: {
    service: string;
    method: string;
    path: string;
    gone: boolean;
    changed: boolean;
    ownerNotAdmin: boolean;
  }[];
}

let made = 0;

/** Creates an Application with a unique name. */
export async function createApplication(admin: Client, name = `Application ${(made += 1)}`): Promise<number> {
  const answer = await admin.post<{ id: number }>('/v1/applications', {
    name,
    timezone: 'Europe/Berlin',
    currency: 'EUR',
  });
  if (answer.status !== 201) {
    throw new Error(`no Application: ${JSON.stringify(answer.body)}`);
  }
  return answer.body.id;
}

/** Creates a key that lists campaigns, unless `parts` says otherwise. */
export async function createKey(admin: Client, parts: Record<string, unknown> = {}): Promise<MadeKey> {
  const answer = await admin.post<MadeKey>('/v1/api_keys', {
    name: `Key ${(made += 1)}`,
    expiryDate: '2027-06-30T22:00:00Z',
    endpoints: [CAMPAIGNS],
    ...parts,
  });
  if (answer.status !== 201) {
    throw new Error(`no key: ${JSON.stringify(answer.body)}`);
  }
  return answer.body;
}

/** Creates an admin and signs them in. */
export async function createAdmin(
  latchkey: Latchkey,
): Promise<{ id: number; email: string; password: string; client: Client }> {
  const email = `admin${(made += 1)}@example.com`;
  const password = 'tulip ladder cement';
  const answer = await latchkey.admin.post<{ id: number }>('/v1/users', {
    name: email,
    email,
    password,
    isAdmin: true,
  });
  if (answer.status !== 201) {
    throw new Error(`no admin: ${JSON.stringify(answer.body)}`);
  }
  return { id: answer.body.id, email, password, client: await latchkey.signIn(email, password) };
}
