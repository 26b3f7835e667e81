import type { Answer, Client, ProblemBody } from '../support/client.js';
import { createApplication, type MadeKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

/** An instance with one Application, and what tests do with its keys. */
export interface KeyTests {
  latchkey: Latchkey;
  applicationId: number;
  /** Returns a client that sends a key. */
  caller(key: Pick<MadeKey, 'key'>): Client;
  /** Lists the campaigns of an Application with a key. */
  use(key: Pick<MadeKey, 'key'>, id?: number): Promise<Answer<ProblemBody>>;
  /** Returns a key as the first admin sees it. */
  view(key: Pick<MadeKey, 'id'>): Promise<MadeKey>;
}

/** Starts an instance whose sessions outlast every key. */
export async function startForKeys(): Promise<KeyTests> {
  const latchkey = await startLatchkey({ SESSION_LIFETIME_HOURS: '8760' });
  const applicationId = await createApplication(latchkey.admin);
  const caller = (key: Pick<MadeKey, 'key'>): Client => latchkey.as(`ManagementKey-v1 ${key.key}`);
  return {
    latchkey,
    applicationId,
    caller,
    use: (key, id = applicationId) => caller(key).get<ProblemBody>(`/v1/applications/${id}/campaigns`),
    view: async (key) => (await latchkey.admin.get<MadeKey>(`/v1/api_keys/${key.id}`)).body,
  };
}
