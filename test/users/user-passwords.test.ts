import type { Answer, Client, ProblemBody } from '../support/client.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

import { codeOf, createUser } from './user-fixtures.js';

describe('a password', () => {
  let latchkey: Latchkey;
  let shops = 0;

  beforeAll(async () => {
    latchkey = await startLatchkey();
  });
  afterAll(() => latchkey.close());

  const set = (client: Client, id: number, body: object): Promise<Answer<ProblemBody>> =>
    client.put<ProblemBody>(`/v1/users/${id}/password`, body);
  const signInStatus = async (email: string, password: string): Promise<number> =>
    (await latchkey.anonymous.post('/v1/sessions', { email, password })).status;

  it('is changed by its user with the current password, which ends all of their sessions', async () => {
    const user = await createUser(latchkey.admin);
    const [one, other] = [
      await latchkey.signIn(user.email, user.password),
      await latchkey.signIn(user.email, user.password),
    ];
    const newPassword = 'a completely new one';
    expect(await set(one, user.id, { currentPassword: user.password, newPassword })).toMatchObject({
      status: 204,
      body: '',
    });
    expect(codeOf(await one.get('/v1/sessions/current'))).toBe('401 unknown');
    expect(codeOf(await other.get('/v1/sessions/current'))).toBe('401 unknown');
    expect(await signInStatus(user.email, user.password)).toBe(401);
    expect(await signInStatus(user.email, newPassword)).toBe(201);
  });

  it('is not changed by its user without the current password, even if they are an admin', async () => {
    const user = await createUser(latchkey.admin, { isAdmin: true });
    const client = await latchkey.signIn(user.email, user.password);
    const newPassword = 'a completely new one';
    expect(await set(client, user.id, { newPassword })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/currentPassword' }] },
    });
    expect(codeOf(await set(client, user.id, { newPassword, currentPassword: 'not the password' }))).toBe(
      '403 current-password-wrong',
    );
    expect((await client.get('/v1/sessions/current')).status).toBe(200);
    expect(await signInStatus(user.email, user.password)).toBe(201);
  });

  it('is set by an admin for another user without the old password', async () => {
    const user = await createUser(latchkey.admin);
    const client = await latchkey.signIn(user.email, user.password);
    const newPassword = 'given by an admin';
    expect((await set(latchkey.admin, user.id, { newPassword })).status).toBe(204);
    expect(codeOf(await client.get('/v1/sessions/current'))).toBe('401 unknown');
    expect(await signInStatus(user.email, newPassword)).toBe(201);
    expect(await set(latchkey.admin, user.id, { newPassword, currentPassword: newPassword })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/currentPassword' }] },
    });
  });

  it('of another user cannot be set by a user who is no admin, whether or not that user exists', async () => {
    const [ada, ben] = [await createUser(latchkey.admin), await createUser(latchkey.admin)];
    const client = await latchkey.signIn(ada.email, ada.password);
    for (const id of [ben.id, 2147483647]) {
      expect(codeOf(await set(client, id, { newPassword: 'a completely new one' }))).toBe('403 admin-required');
    }
    expect(await signInStatus(ben.email, ben.password)).toBe(201);
  });

  it('has 15 to 128 characters', async () => {
    const user = await createUser(latchkey.admin);
    for (const newPassword of ['ladder-cement.', 'x'.repeat(129), '', 12, null]) {
      const answer = await set(latchkey.admin, user.id, { newPassword });
      expect(codeOf(answer)).toBe('400 validation-failed');
      expect(answer.body.errors![0]).toEqual({
        pointer: '/newPassword',
        detail: expect.stringMatching(
          /^(must have 15 to 128 characters: several unrelated words|newPassword must be a string)/,
        ),
      });
    }
  });

  it.each([
    ['a common password', 'passwordpassword', 'must be harder to guess'],
    ['one repeated character', 'aaaaaaaaaaaaaaa', 'must be harder to guess'],
    ['a sequence', '123456789012345', 'must be harder to guess'],
    ['the name of its user', 'i am grace-hopper', 'must not contain the name of its user'],
    [
      'an e-mail address with the local part of its user’s',
      'Grace.1906@elsewhere.example',
      'must not contain the e-mail address of its user',
    ],
    [
      'the local part of the e-mail address of its user',
      'my grace1906 is me',
      'must not contain the e-mail address of its user',
    ],
    ['the name of the product', 'the latchkey of mine', 'must not contain Latchkey'],
  ])('is refused, and the error says what to do, if it is or contains %s', async (...given) => {
    const [, password, detail] = given;
    shops += 1;
    const user = { name: 'Grace Hopper', email: `grace.1906@shop${shops}.example`, password: 'tulip ladder cement' };
    const fault = (pointer: string): object => ({
      status: 400,
      body: { code: 'validation-failed', errors: [{ pointer, detail: expect.stringContaining(detail) }] },
    });
    expect(await latchkey.admin.post('/v1/users', { ...user, password })).toMatchObject(fault('/password'));
    const { body } = await latchkey.admin.post<{ id: number }>('/v1/users', user);
    const client = await latchkey.signIn(user.email, user.password);
    const change = { currentPassword: user.password, newPassword: password };
    expect(await set(client, body.id, change)).toMatchObject(fault('/newPassword'));
    expect(await set(latchkey.admin, body.id, { newPassword: password })).toMatchObject(fault('/newPassword'));
    // Nothing was changed: the session and the password still work.
    expect((await client.get('/v1/sessions/current')).status).toBe(200);
    await latchkey.signIn(user.email, user.password);
  });

  it('that was set under a shorter minimum length still works, and can be changed', async () => {
    const { hash } = await import('@node-rs/argon2');
    const { TransactionRunner } = await import('../../src/database/transactions/transaction-runner.js');
    const { User } = await import('../../src/users/user.entity.js');
    const user = await createUser(latchkey.admin);
    const old = 'aaaaaaaaaaaa';
    const passwordHash = await hash(old);
    await latchkey.get(TransactionRunner).inTransaction((tx) => tx.update(User, { id: user.id }, { passwordHash }));
    const client = await latchkey.signIn(user.email, old);
    expect(await set(client, user.id, { currentPassword: old, newPassword: old })).toMatchObject({ status: 400 });
    const newPassword = 'tulip ladder cement';
    expect((await set(client, user.id, { currentPassword: old, newPassword })).status).toBe(204);
    expect(await signInStatus(user.email, newPassword)).toBe(201);
  });

  it('cannot be guessed more often with a stolen session than at sign-in', async () => {
    const user = await createUser(latchkey.admin);
    const client = await latchkey.signIn(user.email, user.password);
    const newPassword = 'a completely new one';
    for (let guess = 0; guess < 5; guess += 1) {
      expect((await set(client, user.id, { currentPassword: `guess ${guess}`, newPassword })).status).toBe(403);
    }
    const answer = await set(client, user.id, { currentPassword: user.password, newPassword });
    expect(codeOf(answer)).toBe('429 too-many-attempts');
    expect(await signInStatus(user.email, user.password)).toBe(429);
  });
});
