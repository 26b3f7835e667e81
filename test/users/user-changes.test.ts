import type { Client } from '../support/client.js';
import { createKey } from '../support/fixtures.js';
import { ADMIN_EMAIL, type Latchkey, startLatchkey } from '../support/harness.js';

import { createUser, type CreatedUser } from './user-fixtures.js';

const BY_EMAIL = ['activate', 'deactivate', 'delete'].map((verb) => ({ method: 'POST', path: `/v1/users/${verb}` }));

describe('the audit log of users', () => {
  let latchkey: Latchkey;
  beforeAll(async () => {
    latchkey = await startLatchkey();
  });
  afterAll(() => latchkey.close());

  interface Change {
    userId: number;
    entity: string;
    old: object | null;
    new: object | null;
    managementKeyId?: number;
  }
  const changesOf = async (client: Client, work: () => Promise<unknown>): Promise<Change[]> => {
    const before = (await client.get<{ data: { id: number }[] }>('/v1/changes?pageSize=1000')).body.data.length;
    await work();
    const after = (await client.get<{ data: Change[] }>('/v1/changes?pageSize=1000')).body.data;
    return after.slice(before);
  };

  it('begins with the first admin', async () => {
    const { body } = await latchkey.admin.get<{ data: Change[] }>('/v1/changes');
    expect(body.data[0]).toMatchObject({
      entity: 'first start',
      old: null,
      new: { email: ADMIN_EMAIL, isAdmin: true },
    });
  });

  it('has every change by an admin, with the values before and after, and no password', async () => {
    const { admin } = latchkey;
    let user!: CreatedUser;
    const changes = await changesOf(admin, async () => {
      user = await createUser(admin, { name: 'Before' });
      await admin.put(`/v1/users/${user.id}`, { name: 'After' });
      await admin.put(`/v1/users/${user.id}`, { name: 'After' });
      await admin.post('/v1/users/deactivate', { email: user.email });
      await admin.post('/v1/users/activate', { email: user.email });
      await admin.put(`/v1/users/${user.id}/password`, { newPassword: 'not in the audit trail' });
      await admin.delete(`/v1/users/${user.id}`);
    });
    const { id, email } = user;
    const as = (parts: object): object => ({ id, email, name: 'After', state: 'active', isAdmin: false, ...parts });
    expect(changes.map((change) => ({ entity: change.entity, old: change.old, new: change.new }))).toEqual([
      { entity: 'POST /v1/users', old: null, new: as({ name: 'Before' }) },
      { entity: `PUT /v1/users/${id}`, old: as({ name: 'Before' }), new: as({}) },
      { entity: 'POST /v1/users/deactivate', old: as({}), new: as({ state: 'deactivated' }) },
      { entity: 'POST /v1/users/activate', old: as({ state: 'deactivated' }), new: as({}) },
      { entity: `PUT /v1/users/${id}/password`, old: null, new: { id, password: 'changed' } },
      { entity: `DELETE /v1/users/${id}`, old: as({}), new: null },
    ]);
    expect(new Set(changes.map(({ userId }) => userId))).toEqual(new Set([1]));
    expect(JSON.stringify(changes)).not.toMatch(/argon2|not in the audit|tulip ladder/);
  });

  it('names the key that made a change and its creator, and has no entry for refused requests', async () => {
    const { admin } = latchkey;
    const created = await createKey(admin, { endpoints: BY_EMAIL });
    const key = latchkey.as(`ManagementKey-v1 ${created.key}`);
    const { email } = await createUser(admin);
    const changes = await changesOf(admin, async () => {
      await key.post('/v1/users/deactivate', { email: ADMIN_EMAIL });
      await admin.put('/v1/users/1', { isAdmin: false });
      await key.post('/v1/users/delete', { email });
    });
    expect(changes).toMatchObject([
      { entity: 'POST /v1/users/delete', userId: 1, managementKeyId: created.id, old: { email } },
    ]);
  });

  it('hides changes of passwords from keys', async () => {
    const { admin } = latchkey;
    const { key } = await createKey(admin, { endpoints: [{ method: 'GET', path: '/v1/changes' }] });
    const { id } = await createUser(admin);
    const seen = await changesOf(latchkey.as(`ManagementKey-v1 ${key}`), async () => {
      await admin.put(`/v1/users/${id}/password`, { newPassword: 'a completely new one' });
      await admin.put(`/v1/users/${id}`, { name: 'Seen' });
    });
    expect(seen.map(({ entity }) => entity)).toEqual([`PUT /v1/users/${id}`]);
  });
});
