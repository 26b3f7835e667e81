import { randomBytes } from 'node:crypto';
import type { Client, ProblemBody } from '../support/client.js';
import { createAdmin, createKey, type MadeKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

import { codeOf, createUser, type Page, type UserBody } from './user-fixtures.js';

const BY_EMAIL = ['activate', 'deactivate', 'delete'].map((verb) => ({ method: 'POST', path: `/v1/users/${verb}` }));

describe('users', () => {
  let latchkey: Latchkey;
  let admin: Client;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    admin = latchkey.admin;
  });
  afterAll(() => latchkey.close());

  const get = async (id: number): Promise<UserBody> => (await admin.get<UserBody>(`/v1/users/${id}`)).body;

  describe('when they are created', () => {
    it('are shown with everything but their password', async () => {
      const answer = await admin.post<UserBody>('/v1/users', {
        name: '  Ada Lovelace ',
        email: 'Ada@Example.com',
        password: 'analytical engine no. 1',
      });
      expect(answer.status).toBe(201);
      expect(answer.body).toEqual({
        id: expect.any(Number),
        created: '2026-11-23T12:00:00.000Z',
        modified: '2026-11-23T12:00:00.000Z',
        email: 'Ada@Example.com',
        accountId: 1,
        inviteToken: '',
        name: 'Ada Lovelace',
        state: 'active',
        isAdmin: false,
        policy: {},
        roles: [],
        lastSignedIn: null,
      });
      expect(await get(answer.body.id)).toEqual(answer.body);
    });

    it('can sign in, whatever the case of their address', async () => {
      const { id, password } = await createUser(admin, { email: 'Ben@example.com' });
      await latchkey.signIn('bEN@EXAMPLE.COM', password);
      expect((await get(id)).lastSignedIn).toBe('2026-11-23T12:00:00.000Z');
    });

    it('cannot have the address of another, whatever its case', async () => {
      const { email } = await createUser(admin);
      const user = { name: 'Other', email: email.toUpperCase(), password: 'a password of its own' };
      expect(codeOf(await admin.post('/v1/users', user))).toBe('409 email-taken');
    });

    it('cannot have the same address when they are created at the same moment', async () => {
      for (let round = 0; round < 5; round += 1) {
        const user = { name: 'Twin', email: `twin${round}@example.com`, password: 'a password of its own' };
        const answers = await Promise.all([1, 2, 3].map(() => admin.post<ProblemBody>('/v1/users', user)));
        expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
        expect((await admin.get<Page>(`/v1/users?email=twin${round}@`)).body.totalResultSize).toBe(1);
      }
    });

    it('are refused with a pointer to each fault', async () => {
      const good = { name: 'Name', email: 'faulty@example.com', password: 'long enough, this one' };
      const faults: [Record<string, unknown>, string][] = [
        [{ name: '   ' }, '/name'],
        [{ name: 'x'.repeat(101) }, '/name'],
        [{ name: 1 }, '/name'],
        [{ name: null }, '/name'],
        [{ name: 'with \0 inside' }, '/name'],
        [{ email: 'not an address' }, '/email'],
        [{ email: 'jürgen@example.com' }, '/email'],
        [{ email: 'jurgen@exämple.com' }, '/email'],
        [
          { email: `${'x'.repeat(60)}@${'x'.repeat(60)}.${'y'.repeat(60)}.${'z'.repeat(60)}.${'w'.repeat(20)}.com` },
          '/email',
        ],
        [{ email: ['a@example.com'] }, '/email'],
        [{ password: 'ladder-cement.' }, '/password'],
        [{ password: 'aaaaaaaaaaaaaaa' }, '/password'],
        [{ password: 'x'.repeat(129) }, '/password'],
        [{ password: undefined }, '/password'],
        [{ isAdmin: 'yes' }, '/isAdmin'],
        [{ isAdmin: null }, '/isAdmin'],
        [{ state: 'active' }, '/state'],
        [{ roles: [1] }, '/roles'],
      ];
      for (const [fault, pointer] of faults) {
        const answer = await admin.post<ProblemBody>('/v1/users', { ...good, ...fault });
        expect({ fault, status: answer.status, code: answer.body.code }).toEqual({
          fault,
          status: 400,
          code: 'validation-failed',
        });
        expect(answer.body.errors![0]!.pointer).toBe(pointer);
      }
      expect((await admin.get<Page>('/v1/users?email=faulty')).body.totalResultSize).toBe(0);
    });

    it('may have names and passwords of the minimum and maximum length, counted in characters', async () => {
      const name = '💚'.repeat(100);
      const shortest = '🐙🔑🌂🍉🚲🎻🦉🧀⛵🪁🌋🕰🪴🧦🎲';
      const user = await createUser(admin, { name, password: shortest });
      expect(user.name).toBe(name);
      await latchkey.signIn(user.email, shortest);
      const longest = randomBytes(64).toString('hex');
      const other = await createUser(admin, { password: longest });
      await latchkey.signIn(other.email, longest);
    });
  });

  describe('in the list', () => {
    it('are found by state and by part of their name or address, in any case', async () => {
      const marked = [
        await createUser(admin, { name: 'Zed One', email: 'zed.1@list.example.com' }),
        await createUser(admin, { name: 'zed two', email: 'ZED.2@list.example.com' }),
        await createUser(admin, { name: 'Zéd 100%', email: 'zed_3@list.example.com' }),
      ];
      await admin.put(`/v1/users/${marked[1]!.id}`, { state: 'deactivated' });
      const idsOf = async (query: string): Promise<number[]> => {
        const answer = await admin.get<Page>(`/v1/users?${query}`);
        expect(answer.status).toBe(200);
        expect(answer.body.totalResultSize).toBe(answer.body.data.length);
        return answer.body.data.map(({ id }) => id);
      };
      const ids = marked.map(({ id }) => id);
      expect(await idsOf('email=@LIST.example')).toEqual(ids);
      expect(await idsOf('email=zed_')).toEqual([ids[2]]);
      expect(await idsOf('name=ZED')).toEqual(ids.slice(0, 2));
      expect(await idsOf('name=100%25')).toEqual([ids[2]]);
      expect(await idsOf('name=%25')).toEqual([ids[2]]);
      expect(await idsOf('email=list.example&state=deactivated')).toEqual([ids[1]]);
      expect(await idsOf('email=list.example&state=active')).toEqual([ids[0], ids[2]]);
      expect(await idsOf('email=no.such.address')).toEqual([]);
      expect(await idsOf('email=zed.1&name=zed')).toEqual([ids[0]]);
      expect(await idsOf('name=zed&email=zed.2')).toEqual([ids[1]]);
      expect(await idsOf('email=zed.1&name=two')).toEqual([]);
      expect(await idsOf('email=list.example&name=zed&state=deactivated')).toEqual([ids[1]]);
    });

    it('are sorted and paged without repeating or skipping anybody', async () => {
      const all = (await admin.get<Page>('/v1/users?pageSize=1000')).body;
      expect(all.data.map(({ id }) => id)).toEqual(all.data.map(({ id }) => id).sort((one, other) => one - other));
      for (const sort of [
        'id',
        '-id',
        'created',
        '-created',
        'modified',
        'email',
        'name',
        '-name',
        'state',
        'lastSignedIn',
      ]) {
        const seen: number[] = [];
        for (let skip = 0; skip < all.totalResultSize; skip += 7) {
          const page = await admin.get<Page>(`/v1/users?sort=${sort}&pageSize=7&skip=${skip}`);
          expect(page.body.totalResultSize).toBe(all.totalResultSize);
          seen.push(...page.body.data.map(({ id }) => id));
        }
        expect(new Set(seen).size).toBe(all.totalResultSize);
        expect(seen).toHaveLength(all.totalResultSize);
      }
      const names = (await admin.get<Page>('/v1/users?email=list.example&sort=-name')).body.data.map(
        ({ name }) => name,
      );
      expect(names).toEqual(['Zéd 100%', 'zed two', 'Zed One']);
      expect((await admin.get<Page>('/v1/users?skip=100000')).body.data).toEqual([]);
    });

    it('are not listed for an invalid query, and the error names the parameter', async () => {
      for (const query of [
        'sort=password',
        'sort=',
        'state=deleted',
        'pageSize=0',
        'pageSize=1001',
        'skip=-1',
        'x=1',
        'name=a&name=b',
      ]) {
        const answer = await admin.get<ProblemBody>(`/v1/users?${query}`);
        expect({ query, status: answer.status }).toEqual({ query, status: 400 });
        expect(answer.body.errors![0]!.parameter).toBe(query.split('=')[0]);
      }
    });
  });

  describe('when they are updated', () => {
    it('keep the values of omitted fields', async () => {
      const user = await createUser(admin);
      latchkey.clock.advance(1000);
      const answer = await admin.put<UserBody>(`/v1/users/${user.id}`, { name: ' New Name ' });
      expect(answer).toMatchObject({
        status: 200,
        body: { name: 'New Name', email: user.email, isAdmin: false, state: 'active', keysAffected: 0 },
      });
      expect(Date.parse(answer.body.modified)).toBe(latchkey.clock.now());
      expect(answer.body.created).toBe(user.created);
      expect((await admin.get<Page>('/v1/users?name=new%20name')).body.totalResultSize).toBe(1);
      expect(await admin.put(`/v1/users/${user.id}`, {})).toMatchObject({ status: 200, body: { name: 'New Name' } });
    });

    it('may be sent with fields that Latchkey does not use if these are empty', async () => {
      const { id } = await createUser(admin);
      const empty = { policy: '', roles: [], applicationNotificationSubscriptions: {} };
      expect((await admin.put(`/v1/users/${id}`, { name: 'Fine', ...empty })).status).toBe(200);
      for (const [field, value] of Object.entries({
        policy: '{"a":1}',
        roles: [1],
        applicationNotificationSubscriptions: { a: 1 },
      })) {
        const answer = await admin.put<ProblemBody>(`/v1/users/${id}`, { name: 'Refused', [field]: value });
        expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: `/${field}` }] } });
      }
      expect((await get(id)).name).toBe('Fine');
    });

    it('cannot get a state other than active and deactivated', async () => {
      const { id } = await createUser(admin);
      for (const state of ['invited', 'deleted', 'ACTIVE', null, 1]) {
        const answer = await admin.put<ProblemBody>(`/v1/users/${id}`, { state });
        expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '/state' }] } });
      }
    });

    it('are refused for malformed ids, and are not found for unknown ids', async () => {
      for (const id of ['0', '01', '-1', '1.0', '2147483648', 'x', '1%20']) {
        expect(codeOf(await admin.get(`/v1/users/${id}`))).toBe('400 id-malformed');
      }
      expect(codeOf(await admin.get('/v1/users/2147483647'))).toBe('404 user-not-found');
      expect(codeOf(await admin.put('/v1/users/2147483647', { name: 'x' }))).toBe('404 user-not-found');
      expect(codeOf(await admin.delete('/v1/users/2147483647'))).toBe('404 user-not-found');
      expect(codeOf(await admin.put('/v1/users/2147483647/password', { newPassword: 'tulip ladder cement' }))).toBe(
        '404 user-not-found',
      );
    });

    it('report how many of their unexpired keys stop or work again, and that a demotion stops none', async () => {
      const other = await createAdmin(latchkey);
      await createKey(other.client);
      await createKey(other.client);
      const soon = await createKey(other.client, { expiryDate: new Date(latchkey.clock.now() + 1000).toISOString() });
      const change = async (body: object): Promise<number | undefined> =>
        (await admin.put<UserBody>(`/v1/users/${other.id}`, body)).body.keysAffected;
      expect(await change({ state: 'deactivated' })).toBe(3);
      expect(await change({ state: 'deactivated' })).toBe(0);
      expect(await change({ state: 'active' })).toBe(3);
      latchkey.clock.set(Date.parse(soon.expiryDate));
      expect(await change({ isAdmin: false })).toBe(0);
      expect(await change({ state: 'deactivated' })).toBe(2);
      const state = (await admin.get<MadeKey>(`/v1/api_keys/${soon.id}`)).body.state;
      expect(state).not.toBe('valid');
      const answer = await admin.post('/v1/users/activate', { email: other.email });
      expect(answer).toMatchObject({ status: 204, body: '' });
      expect(answer.headers.get('x-keys-affected')).toBe('2');
      expect((await admin.delete(`/v1/users/${other.id}`)).headers.get('x-keys-affected')).toBe('2');
    });
  });

  describe('when they are deleted', () => {
    it('are deleted for good, and a new user with the same address inherits nothing', async () => {
      const old = await createAdmin(latchkey);
      const key = await createKey(old.client, { endpoints: [{ method: 'GET', path: '/v1/users' }] });
      const answer = await admin.delete(`/v1/users/${old.id}`);
      expect(answer).toMatchObject({ status: 204, body: '' });
      expect(answer.headers.get('x-keys-affected')).toBe('1');
      expect(codeOf(await admin.get(`/v1/users/${old.id}`))).toBe('404 user-not-found');
      expect(codeOf(await admin.delete(`/v1/users/${old.id}`))).toBe('404 user-not-found');
      expect(codeOf(await admin.put(`/v1/users/${old.id}`, { state: 'active' }))).toBe('404 user-not-found');
      expect((await admin.get<Page>(`/v1/users?email=${old.email}`)).body.totalResultSize).toBe(0);

      const young = await createUser(admin, { email: old.email });
      expect(young.id).toBeGreaterThan(old.id);
      expect(young).toMatchObject({ isAdmin: false, lastSignedIn: null });
      expect(codeOf(await old.client.get('/v1/sessions/current'))).toBe('401 unknown');
      const dead = await latchkey.as(`ManagementKey-v1 ${key.key}`).get<ProblemBody>('/v1/users');
      expect(codeOf(dead)).toBe('401 creator-deleted');
      await latchkey.signIn(young.email, young.password);
    });

    it('leave neither name nor address nor password in their row', async () => {
      const { email, name, id } = await createUser(admin, { name: 'Forget Me', email: 'forget.me@example.com' });
      await admin.delete(`/v1/users/${id}`);
      const { User } = await import('../../src/users/user.entity.js');
      const { getRepositoryToken } = await import('@nestjs/typeorm');
      const rows = latchkey.get<{ findOneBy(where: object): Promise<object> }>(getRepositoryToken(User) as never);
      const row = JSON.stringify(await rows.findOneBy({ id }));
      expect(row).toContain('deleted');
      for (const trace of [email, name, name.toLowerCase(), 'argon2']) {
        expect(row).not.toContain(trace);
      }
    });
  });

  describe('by their address', () => {
    it('are deactivated, activated and deleted by an admin, whatever the case of the address', async () => {
      const { id, email } = await createUser(admin);
      expect((await admin.post('/v1/users/deactivate', { email: email.toUpperCase() })).status).toBe(204);
      expect((await get(id)).state).toBe('deactivated');
      expect((await admin.post('/v1/users/activate', { email })).status).toBe(204);
      expect((await get(id)).state).toBe('active');
      expect((await admin.post('/v1/users/delete', { email })).status).toBe(204);
      for (const verb of ['activate', 'deactivate', 'delete']) {
        expect(codeOf(await admin.post(`/v1/users/${verb}`, { email }))).toBe('404 user-not-found');
        expect(codeOf(await admin.post(`/v1/users/${verb}`, { email: '' }))).toBe('400 validation-failed');
      }
    });

    it('are deactivated, activated and deleted with a key if they are no admin and have no keys', async () => {
      const key = latchkey.as(`ManagementKey-v1 ${(await createKey(admin, { endpoints: BY_EMAIL })).key}`);
      const { id, email } = await createUser(admin);
      expect((await key.post('/v1/users/deactivate', { email })).headers.get('x-keys-affected')).toBe('0');
      expect((await get(id)).state).toBe('deactivated');
      expect((await key.post('/v1/users/activate', { email })).status).toBe(204);
      expect((await key.post('/v1/users/delete', { email })).status).toBe(204);
      expect(codeOf(await admin.get(`/v1/users/${id}`))).toBe('404 user-not-found');
    });

    it('cannot be changed with a key while they are admins or have a key, even an expired one', async () => {
      const key = latchkey.as(`ManagementKey-v1 ${(await createKey(admin, { endpoints: BY_EMAIL })).key}`);
      const other = await createAdmin(latchkey);
      const expectRefused = async (state: string): Promise<void> => {
        for (const verb of ['activate', 'deactivate', 'delete']) {
          expect(codeOf(await key.post(`/v1/users/${verb}`, { email: other.email }))).toBe('403 user-protected');
        }
        expect((await get(other.id)).state).toBe(state);
      };
      await expectRefused('active');
      const owned = await createKey(other.client, {
        expiryDate: new Date(latchkey.clock.now() + 1000).toISOString(),
      });
      await admin.put(`/v1/users/${other.id}`, { isAdmin: false });
      await expectRefused('active');
      await admin.put(`/v1/users/${other.id}`, { state: 'deactivated' });
      await expectRefused('deactivated');
      const now = latchkey.clock.now();
      latchkey.clock.set(Date.parse(owned.expiryDate));
      try {
        await expectRefused('deactivated');
      } finally {
        latchkey.clock.set(now);
      }
      await admin.delete(`/v1/api_keys/${owned.id}`);
      expect((await key.post('/v1/users/delete', { email: other.email })).status).toBe(204);
    });
  });
});
