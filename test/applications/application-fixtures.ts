import type { Answer, Client, ProblemBody } from '../support/client.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

export interface Application {
  id: number;
  created: string;
  modified: string;
  name: string;
  description: string;
  timezone: string;
  currency: string;
  attributes: Record<string, unknown>;
}
export interface Applications {
  totalResultSize: number;
  data: Application[];
}
export interface Changes {
  data: { entity: string; userId: number; applicationId?: number; old: unknown; new: unknown }[];
}

export const SHOP = { name: 'Shop', timezone: 'Europe/Berlin', currency: 'EUR' };

/** An instance, and what tests do with its Applications as the first admin. */
export interface ApplicationTests {
  latchkey: Latchkey;
  /** Sends requests as a user who is not an admin. */
  user: Client;
  create(body: object): Promise<Answer<Application & ProblemBody>>;
  update(id: number, body: object): Promise<Answer<Application & ProblemBody>>;
  list(query?: string): Promise<Applications>;
  /** Returns the audit entries of an Application. */
  changesOf(id: number): Promise<Changes['data']>;
}

export async function startForApplications(): Promise<ApplicationTests> {
  const latchkey = await startLatchkey();
  const password = 'just a user of this';
  await latchkey.admin.post('/v1/users', { name: 'Una', email: 'una@example.com', password, isAdmin: false });
  return {
    latchkey,
    user: await latchkey.signIn('una@example.com', password),
    create: (body) => latchkey.admin.post<Application & ProblemBody>('/v1/applications', body),
    update: (id, body) => latchkey.admin.put<Application & ProblemBody>(`/v1/applications/${id}`, body),
    list: async (query = '') => (await latchkey.admin.get<Applications>(`/v1/applications${query}`)).body,
    changesOf: async (id) =>
      (await latchkey.admin.get<Changes>(`/v1/changes?applicationId=${id}&pageSize=1000`)).body.data,
  };
}
