import type { Answer, Client, ProblemBody } from '../support/client.js';
import { createAdmin } from '../support/fixtures.js';
import { ADMIN_EMAIL, type Latchkey, startLatchkey } from '../support/harness.js';

import { codeOf, type UserBody } from './user-fixtures.js';

describe('the last admin', () => {
  let latchkey: Latchkey;
  let id: number;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    id = (await latchkey.admin.get<{ user: UserBody }>('/v1/sessions/current')).body.user.id;
  });
  afterAll(() => latchkey.close());

  it('can be neither demoted, deactivated nor deleted, by id or by address', async () => {
    const { admin } = latchkey;
    const answers = [
      await admin.put<ProblemBody>(`/v1/users/${id}`, { isAdmin: false }),
      await admin.put<ProblemBody>(`/v1/users/${id}`, { state: 'deactivated', name: 'Not me' }),
      await admin.delete<ProblemBody>(`/v1/users/${id}`),
      await admin.post<ProblemBody>('/v1/users/deactivate', { email: ADMIN_EMAIL }),
      await admin.post<ProblemBody>('/v1/users/delete', { email: ADMIN_EMAIL }),
    ];
    for (const answer of answers) {
      expect(codeOf(answer)).toBe('409 last-admin');
    }
    expect(await admin.get(`/v1/users/${id}`)).toMatchObject({
      body: { name: 'First admin', isAdmin: true, state: 'active' },
    });
    expect((await admin.put(`/v1/users/${id}`, { name: 'Still here', isAdmin: true, state: 'active' })).status).toBe(
      200,
    );
  });

  it('cannot be deleted while all other admins are deactivated', async () => {
    const other = await createAdmin(latchkey);
    expect((await latchkey.admin.put(`/v1/users/${other.id}`, { state: 'deactivated' })).status).toBe(200);
    expect(codeOf(await latchkey.admin.delete(`/v1/users/${id}`))).toBe('409 last-admin');
    expect((await latchkey.admin.delete(`/v1/users/${other.id}`)).status).toBe(204);
  });

  it('remains when two admins demote, deactivate or delete each other at the same moment', async () => {
    const ways: ((client: Client, user: { id: number; email: string }) => Promise<Answer>)[] = [
      (client, user) => client.put(`/v1/users/${user.id}`, { isAdmin: false }),
      (client, user) => client.put(`/v1/users/${user.id}`, { state: 'deactivated' }),
      (client, user) => client.delete(`/v1/users/${user.id}`),
      (client, user) => client.post('/v1/users/delete', { email: user.email }),
    ];
    let one = { id, email: ADMIN_EMAIL, client: latchkey.admin };
    for (let round = 0; round < 12; round += 1) {
      const other = await createAdmin({ ...latchkey, admin: one.client });
      const way = ways[round % ways.length]!;
      const answers = await Promise.all([way(one.client, other), way(other.client, one)]);
      const users = [one, other];
      const alive = await Promise.all(users.map(async ({ client }) => (await client.get('/v1/users')).status === 200));
      expect(alive.filter(Boolean)).toHaveLength(1);
      expect(answers.some(({ status }) => status < 300)).toBe(true);
      one = users[alive.indexOf(true)]!;
    }
  });
});
