import type { DecisionReader as Reader } from '../../src/database/reading/decision-reader.js';
import type { Client, ProblemBody } from '../support/client.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, type Latchkey, startLatchkey } from '../support/harness.js';

const HOUR_MS = 3_600_000;

interface Current {
  user: { id: number; email: string; isAdmin: boolean };
  created: string;
  expires: string;
}

describe('a session', () => {
  let latchkey: Latchkey;
  let count = 0;

  beforeAll(async () => {
    latchkey = await startLatchkey({ SESSION_LIFETIME_HOURS: '12' });
  });
  afterAll(() => latchkey.close());

  const newUser = async (): Promise<{ id: number; email: string; password: string }> => {
    count += 1;
    const user = { name: `User ${count}`, email: `user${count}@example.com`, password: `password number ${count}` };
    const answer = await latchkey.admin.post<{ id: number }>('/v1/users', user);
    expect(answer.status).toBe(201);
    return { ...user, id: answer.body.id };
  };
  const codeOf = async (client: Client): Promise<string> => {
    const answer = await client.get<ProblemBody>('/v1/sessions/current');
    return answer.status === 200 ? 'alive' : `${answer.status} ${answer.body.code}`;
  };

  it('is created with the right address and password, and the response contains its token', async () => {
    const answer = await latchkey.anonymous.post<Record<string, unknown>>('/v1/sessions', {
      email: ADMIN_EMAIL.toUpperCase(),
      password: ADMIN_PASSWORD,
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toEqual({
      userId: expect.any(Number),
      token: expect.stringMatching(/^lks_[0-9A-Za-z]{49}$/),
      created: new Date(latchkey.clock.now()).toISOString(),
    });
  });

  it('shows its user and its expiry', async () => {
    const answer = await latchkey.admin.get<Current>('/v1/sessions/current');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body.user).toMatchObject({ email: ADMIN_EMAIL, isAdmin: true, state: 'active', accountId: 1 });
    expect(Date.parse(answer.body.expires) - Date.parse(answer.body.created)).toBe(12 * HOUR_MS);
    expect(JSON.stringify(answer.body)).not.toMatch(/password|argon2/i);
  });

  it('is accepted until the millisecond before it expires, and is refused as expired from then on', async () => {
    const { email, password } = await newUser();
    const client = await latchkey.signIn(email, password);
    const start = latchkey.clock.now();
    try {
      latchkey.clock.set(start + 12 * HOUR_MS - 1);
      expect(await codeOf(client)).toBe('alive');
      latchkey.clock.set(start + 12 * HOUR_MS);
      expect(await codeOf(client)).toBe('401 expired');
    } finally {
      latchkey.clock.set(start);
    }
  });

  it('ends when its user signs out, and their other sessions continue', async () => {
    const { email, password } = await newUser();
    const [one, other] = [await latchkey.signIn(email, password), await latchkey.signIn(email, password)];
    const answer = await one.delete('/v1/sessions');
    expect(answer).toMatchObject({ status: 204, body: '' });
    expect(await codeOf(one)).toBe('401 unknown');
    expect(await codeOf(other)).toBe('alive');
    expect((await other.delete('/v1/sessions?all=false')).status).toBe(204);
    expect(await codeOf(other)).toBe('401 unknown');
  });

  it('ends with all other sessions of its user, and of no other user, when they sign out with all=true', async () => {
    const [ada, ben] = [await newUser(), await newUser()];
    const [one, other] = [
      await latchkey.signIn(ada.email, ada.password),
      await latchkey.signIn(ada.email, ada.password),
    ];
    const bens = await latchkey.signIn(ben.email, ben.password);
    expect((await one.delete('/v1/sessions?all=true')).status).toBe(204);
    expect(await codeOf(one)).toBe('401 unknown');
    expect(await codeOf(other)).toBe('401 unknown');
    expect(await codeOf(bens)).toBe('alive');
    expect(await codeOf(latchkey.admin)).toBe('alive');
  });

  it('ends at once when its user is deactivated, and stays ended when they are activated again', async () => {
    const { id, email, password } = await newUser();
    const client = await latchkey.signIn(email, password);
    await latchkey.admin.put(`/v1/users/${id}`, { state: 'deactivated' });
    expect(await codeOf(client)).toBe('401 unknown');
    await latchkey.admin.put(`/v1/users/${id}`, { state: 'active' });
    expect(await codeOf(client)).toBe('401 unknown');
    expect(await codeOf(await latchkey.signIn(email, password))).toBe('alive');
  });

  it('ends at once when its user is deleted', async () => {
    const { id, email, password } = await newUser();
    const client = await latchkey.signIn(email, password);
    expect((await latchkey.admin.delete(`/v1/users/${id}`)).status).toBe(204);
    expect(await codeOf(client)).toBe('401 unknown');
  });

  it('loses or gains the rights of an admin immediately when its user is demoted or promoted', async () => {
    const { id, email, password } = await newUser();
    const client = await latchkey.signIn(email, password);
    expect((await client.get('/v1/users')).status).toBe(403);
    await latchkey.admin.put(`/v1/users/${id}`, { isAdmin: true });
    expect((await client.get('/v1/users')).status).toBe(200);
    await latchkey.admin.put(`/v1/users/${id}`, { isAdmin: false });
    expect((await client.get('/v1/users')).status).toBe(403);
  });

  it('is refused with the same response for a wrong password, an unknown address, and a deactivated or deleted user', async () => {
    const [ada, ben, cleo] = [await newUser(), await newUser(), await newUser()];
    await latchkey.admin.put(`/v1/users/${ben.id}`, { state: 'deactivated' });
    await latchkey.admin.delete(`/v1/users/${cleo.id}`);
    const refusals = [
      await latchkey.anonymous.post<ProblemBody>('/v1/sessions', { email: ada.email, password: 'not the password' }),
      await latchkey.anonymous.post<ProblemBody>('/v1/sessions', {
        email: 'nobody@example.com',
        password: ada.password,
      }),
      await latchkey.anonymous.post<ProblemBody>('/v1/sessions', { email: ben.email, password: ben.password }),
      await latchkey.anonymous.post<ProblemBody>('/v1/sessions', { email: cleo.email, password: cleo.password }),
    ];
    for (const { status, headers, body } of refusals) {
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toContain('Bearer');
      expect({ ...body, instance: '' }).toEqual({ ...refusals[0]!.body, instance: '' });
      expect(body.code).toBe('sign-in-failed');
    }
  });

  it('is never valid if its user is deactivated while the password is being checked', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { id, email, password } = await newUser();
      const signIns = Array.from({ length: 3 }, () =>
        latchkey.anonymous.post<{ token?: string }>('/v1/sessions', { email, password }),
      );
      await latchkey.admin.put(`/v1/users/${id}`, { state: 'deactivated' });
      for (const { status, body } of await Promise.all(signIns)) {
        if (status === 201) {
          expect(await codeOf(latchkey.as(`Bearer ${body.token}`))).toBe('401 unknown');
        } else {
          expect(status).toBe(401);
        }
      }
    }
  });

  it('is not looked up in the database if its token is malformed', async () => {
    const { DecisionReader } = await import('../../src/database/reading/decision-reader.js');
    const reader: Reader = latchkey.get(DecisionReader);
    const { email, password } = await newUser();
    const token = (await latchkey.signIn(email, password)).authorization!.slice('Bearer '.length);
    const typo = token.slice(0, -1) + (token.endsWith('x') ? 'y' : 'x');
    const before = reader.statementCount;
    for (const malformed of ['x', typo, token.slice(0, -1), `${token}0`, token.toUpperCase()]) {
      expect(await codeOf(latchkey.as(`Bearer ${malformed}`))).toBe('401 malformed');
    }
    expect(reader.statementCount).toBe(before);
    expect(await codeOf(latchkey.as(`bEARER ${token}`))).toBe('alive');
    expect(reader.statementCount).toBe(before + 1);
  });

  it('is unknown for a well-formed token that was never issued', async () => {
    const { mintSecret } = await import('../../src/access/secret.js');
    expect(await codeOf(latchkey.as(`Bearer ${mintSecret('lks_')}`))).toBe('401 unknown');
  });

  it('is not created for a body that is too large, is incomplete or has wrong types', async () => {
    const large = await latchkey.anonymous.post<ProblemBody>('/v1/sessions', {
      email: 'a',
      password: 'x'.repeat(5000),
    });
    expect(large).toMatchObject({ status: 413, body: { code: 'body-too-large' } });
    const bodies = [{}, { email: ADMIN_EMAIL }, { email: 1, password: {} }, { email: ADMIN_EMAIL, password: null }];
    for (const body of [
      ...bodies,
      { email: ADMIN_EMAIL, password: 'x'.repeat(129) },
      { email: 'x'.repeat(255), password: 'x' },
    ]) {
      const answer = await latchkey.anonymous.post<ProblemBody>('/v1/sessions', body);
      expect(answer).toMatchObject({ status: 400, body: { code: 'validation-failed' } });
    }
    const unknown = await latchkey.anonymous.post('/v1/sessions', { email: 'a', password: 'b', remember: true });
    expect(unknown).toMatchObject({ status: 400, body: { errors: [{ pointer: '/remember' }] } });
    expect(await latchkey.admin.delete('/v1/sessions?all=yes')).toMatchObject({
      status: 400,
      body: { errors: [{ parameter: 'all' }] },
    });
  });

  it('is deleted from the database after it has expired, and valid sessions are not', async () => {
    const { ExpiredRows } = await import('../../src/sessions/expired-rows.js');
    const { email, password } = await newUser();
    const old = await latchkey.signIn(email, password);
    const start = latchkey.clock.now();
    try {
      latchkey.clock.advance(12 * HOUR_MS);
      const young = await latchkey.signIn(email, password);
      await latchkey.get(ExpiredRows).purge();
      expect(await codeOf(old)).toBe('401 unknown');
      expect(await codeOf(young)).toBe('alive');
    } finally {
      latchkey.clock.set(start);
    }
  });
});
