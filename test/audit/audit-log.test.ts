import { UserPasswordsService } from '../../src/users/passwords/user-passwords.service.js';
import type { Client } from '../support/client.js';
import { createAdmin, createApplication, createKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

interface Change {
  entity: string;
  userId: number;
  actor: string;
  address?: string;
  managementKeyId?: number;
  applicationId?: number;
  old: Record<string, unknown> | null;
  new: Record<string, unknown> | null;
}

const PASSWORD = 'a long password of the leaver';

describe('the audit log', () => {
  let latchkey: Latchkey;
  let admin: Client;

  beforeAll(async () => {
    latchkey = await startLatchkey({ TRUST_PROXY: '1' });
    admin = latchkey.admin;
  });
  afterAll(() => latchkey.close());

  async function entriesOf(entityPath: string, caller: Client = admin): Promise<Change[]> {
    const query = `entityPath=${encodeURIComponent(entityPath)}&pageSize=1000`;
    return (await caller.get<{ data: Change[] }>(`/v1/changes?${query}`)).body.data;
  }

  async function createLeaver(email: string): Promise<number> {
    const { body } = await admin.post<{ id: number }>('/v1/users', {
      name: 'Jo Marsh',
      email,
      password: PASSWORD,
      isAdmin: true,
    });
    return body.id;
  }

  test('has each sign-in and sign-out, with the user and the client address', async () => {
    const userId = await createLeaver('in-and-out@example.com');
    const credentials = { email: 'in-and-out@example.com', password: PASSWORD };
    const { body } = await latchkey.anonymous.post<{ token: string }>('/v1/sessions', credentials, {
      'x-forwarded-for': '203.0.113.7',
    });
    await latchkey.as(`Bearer ${body.token}`).delete('/v1/sessions', { 'x-forwarded-for': '203.0.113.8' });
    const entries = (await entriesOf('/v1/sessions')).filter((entry) => entry.userId === userId);
    expect(entries).toMatchObject([
      { entity: 'POST /v1/sessions', actor: 'user', address: '203.0.113.7', new: { userId } },
      { entity: 'DELETE /v1/sessions', actor: 'user', address: '203.0.113.8', old: { userId, sessions: 1 } },
    ]);
  });

  test('stores no malformed client address, even from a trusted proxy', async () => {
    const application = { name: 'Odd address', timezone: 'Europe/Berlin', currency: 'EUR' };
    const answer = await admin.post('/v1/applications', application, { 'x-forwarded-for': `${'x'.repeat(500)}, <b>` });
    expect(answer.status).toBe(201);
    const [entry] = (await entriesOf('POST /v1/applications')).filter(
      ({ new: created }) => created?.name === 'Odd address',
    );
    expect(entry).not.toHaveProperty('address');
  });

  test('has each export, with the key, the Application and the filters', async () => {
    const applicationId = await createApplication(admin);
    const key = await createKey(admin, {
      endpoints: [{ method: 'GET', path: '/v1/applications/{applicationId}/export_coupons' }],
    });
    const path = `/v1/applications/${applicationId}/export_coupons`;
    const answer = await latchkey.as(`ManagementKey-v1 ${key.key}`).get(`${path}?valuesOnly=true`);
    expect(answer.status).toBe(200);
    expect(await entriesOf(`GET ${path}`)).toMatchObject([
      { actor: 'api-key', managementKeyId: key.id, applicationId, new: { filters: { valuesOnly: 'true' } } },
    ]);
  });

  test('names the keys that the deletion of a user or an Application stopped, but hides them and client addresses from keys', async () => {
    const { id, client } = await createAdmin(latchkey);
    const applicationId = await createApplication(admin);
    const otherId = await createApplication(admin);
    const limited = await createKey(client, { name: 'Limited', allowedApplicationIds: [applicationId] });
    const both = await createKey(client, { name: 'Both', allowedApplicationIds: [applicationId, otherId] });
    const reader = await createKey(admin, { endpoints: [{ method: 'GET', path: '/v1/changes' }] });

    expect((await admin.delete(`/v1/applications/${applicationId}`)).status).toBe(204);
    const [ofApplication] = await entriesOf(`DELETE /v1/applications/${applicationId}`);
    expect(ofApplication!.old!.endedKeys).toEqual([{ id: limited.id, name: 'Limited', hint: limited.hint }]);

    expect((await admin.delete(`/v1/users/${id}`)).status).toBe(204);
    const [ofUser] = await entriesOf(`DELETE /v1/users/${id}`);
    expect(ofUser!.old!.endedKeys).toEqual([{ id: both.id, name: 'Both', hint: both.hint }]);

    const [seen] = await entriesOf(`DELETE /v1/users/${id}`, latchkey.as(`ManagementKey-v1 ${reader.key}`));
    expect(seen!.old).toMatchObject({ id });
    expect(seen!.old).not.toHaveProperty('endedKeys');
    expect(seen).not.toHaveProperty('address');
    expect(await entriesOf('/v1/sessions', latchkey.as(`ManagementKey-v1 ${reader.key}`))).toEqual([]);
  });

  test('names the operator as the actor of a password reset on the command line, not the user', async () => {
    const userId = await createLeaver('reset@example.com');
    // This is what the command calls. `server/replicas.test.ts` runs the command itself.
    expect(await latchkey.get(UserPasswordsService).reset('reset@example.com')).toMatchObject({ state: 'active' });
    const entries = await entriesOf('reset-password');
    expect(entries).toMatchObject([{ actor: 'operator', userId: 0, new: { id: userId, password: 'changed' } }]);
    const [first] = await entriesOf('first start');
    expect(first).toMatchObject({ actor: 'operator', userId: 0 });
  });
});
