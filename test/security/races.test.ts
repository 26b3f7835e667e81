import { type Answer, Client, type ProblemBody } from '../support/client.js';
import { CAMPAIGNS, createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, createDatabase, type TestDatabase } from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';

/** How often each race runs. */
const ROUNDS = Number(process.env.RACE_ROUNDS ?? 40);
const PASSWORD = 'the password of a racer';

/** Each side of a race runs on its own process, so that they share only the database. */
describe('of two requests that race on two processes', () => {
  let database: TestDatabase;
  let servers: [ServerProcess, ServerProcess];
  let admin: [Client, Client];
  let racers = 0;

  const as = (side: 0 | 1, authorization?: string): Client => new Client(servers[side].url, authorization, new Set());
  const signIn = async (side: 0 | 1, email: string, password: string): Promise<Client> => {
    const answer = await as(side).post<{ token: string }>('/v1/sessions', { email, password });
    expect(answer.status).toBe(201);
    return as(side, `Bearer ${answer.body.token}`);
  };
  const newEmail = (): string => `racer${(racers += 1)}@example.com`;
  const newUser = async (isAdmin: boolean): Promise<{ id: number; email: string }> => {
    const email = newEmail();
    const answer = await admin[0].post<{ id: number }>('/v1/users', {
      name: email,
      email,
      password: PASSWORD,
      isAdmin,
    });
    expect(answer.status).toBe(201);
    return { id: answer.body.id, email };
  };
  /** Runs both sides. Each side sometimes gets a head start, so that both orders occur. */
  const race = async <One, Other>(
    round: number,
    one: () => Promise<One>,
    other: () => Promise<Other>,
  ): Promise<[One, Other]> => {
    const wait = async (turns: number): Promise<void> => {
      for (let turn = 0; turn < turns; turn += 1) {
        await new Promise(setImmediate);
      }
    };
    const headStart = round % 12;
    const late = round % 2;
    return Promise.all([wait(late ? 0 : headStart).then(one), wait(late ? headStart : 0).then(other)]);
  };
  const statuses = (answers: readonly Answer[]): number[] => answers.map(({ status }) => status).sort();
  const eachRound = async (work: (round: number) => Promise<void>): Promise<void> => {
    for (let round = 0; round < ROUNDS; round += 1) {
      await work(round);
    }
  };

  beforeAll(async () => {
    database = await createDatabase();
    const settings = { DATABASE_URL: database.url, DECISION_WAIT_MS: '15000' };
    servers = [await startServer(settings), await startServer(settings)];
    admin = [await signIn(0, ADMIN_EMAIL, ADMIN_PASSWORD), await signIn(1, ADMIN_EMAIL, ADMIN_PASSWORD)];
  }, 60_000);

  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await database.drop();
  });

  test('only one creates a user with the same email address', async () => {
    await eachRound(async (round) => {
      const email = newEmail();
      const create = (side: 0 | 1, address: string): Promise<Answer> =>
        admin[side].post('/v1/users', { name: 'Twin', email: address, password: PASSWORD });
      const answers = await race(
        round,
        () => create(0, email),
        () => create(1, email.toUpperCase()),
      );
      expect(statuses(answers)).toEqual([201, 409]);
    });
  }, 300_000);

  test('only one creates an Application with the same name', async () => {
    await eachRound(async (round) => {
      const name = `Twin ${round}`;
      const create = (side: 0 | 1, text: string): Promise<Answer> =>
        admin[side].post('/v1/applications', { name: text, timezone: 'UTC', currency: 'EUR' });
      const answers = await race(
        round,
        () => create(0, name),
        () => create(1, name.toUpperCase()),
      );
      expect(statuses(answers)).toEqual([201, 409]);
    });
  }, 300_000);

  test('only one deletes the same key, and the audit log has one deletion', async () => {
    await eachRound(async (round) => {
      const { id } = await createKey(admin[0]);
      const answers = await race(
        round,
        () => admin[0].delete(`/v1/api_keys/${id}`),
        () => admin[1].delete(`/v1/api_keys/${id}`),
      );
      expect(statuses(answers)).toEqual([204, 404]);
      const { body } = await admin[0].get<{ data: { entity: string }[] }>(
        `/v1/changes?entityPath=${encodeURIComponent(`/v1/api_keys/${id}`)}&pageSize=1000`,
      );
      expect(body.data.filter(({ entity }) => entity === `DELETE /v1/api_keys/${id}`)).toHaveLength(1);
    });
  }, 300_000);

  test('a key created while its only Application is deleted opens no Application', async () => {
    const other = await createApplication(admin[0], 'Stays');
    await eachRound(async (round) => {
      const id = await createApplication(admin[0], `Going ${round}`);
      const parts = {
        name: `Racing ${round}`,
        expiryDate: '2099-06-30T22:00:00Z',
        endpoints: [CAMPAIGNS],
        allowedApplicationIds: [id],
      };
      const [creation, deletion] = await race(
        round,
        () => admin[0].post<MadeKey & ProblemBody>('/v1/api_keys', parts),
        () => admin[1].delete(`/v1/applications/${id}`),
      );
      expect(deletion.status).toBe(204);
      if (creation.status !== 201) {
        expect(creation).toMatchObject({ status: 400, body: { errors: [{ pointer: '/allowedApplicationIds/0' }] } });
        return;
      }
      const key = as(0, `ManagementKey-v1 ${creation.body.key}`);
      for (const application of [other, id]) {
        expect(await key.get(`/v1/applications/${application}/campaigns`)).toMatchObject({
          status: 401,
          body: { code: 'no-application-left' },
        });
      }
      expect((await admin[1].get(`/v1/api_keys/${creation.body.id}`)).body).toMatchObject({
        state: 'invalid',
        allApplications: false,
        allowedApplicationIds: [],
      });
    });
  }, 300_000);

  test('only one succeeds: the deletion of an Application or the creation of its campaign', async () => {
    await eachRound(async (round) => {
      const id = await createApplication(admin[0], `Campaigning ${round}`);
      const [deletion, creation] = await race(
        round,
        () => admin[0].delete(`/v1/applications/${id}`),
        () => admin[1].post(`/v1/applications/${id}/campaigns`, { name: 'Racing' }),
      );
      expect([
        [204, 404],
        [409, 201],
      ]).toContainEqual([deletion.status, creation.status]);
    });
  }, 300_000);

  test('a session created while its user is deactivated is refused', async () => {
    await eachRound(async (round) => {
      const { id, email } = await newUser(false);
      const [answer, deactivation] = await race(
        round,
        () => as(0).post<{ token: string }>('/v1/sessions', { email, password: PASSWORD }),
        () => admin[1].put(`/v1/users/${id}`, { state: 'deactivated' }),
      );
      expect(deactivation.status).toBe(200);
      expect([201, 401]).toContain(answer.status);
      if (answer.status === 201) {
        expect((await as(0, `Bearer ${answer.body.token}`).get('/v1/sessions/current')).status).toBe(401);
        expect((await as(1, `Bearer ${answer.body.token}`).get('/v1/sessions/current')).status).toBe(401);
      }
    });
  }, 300_000);

  test('a session created with a password while it is replaced is refused', async () => {
    await eachRound(async (round) => {
      const { id, email } = await newUser(false);
      const [answer, change] = await race(
        round,
        () => as(0).post<{ token: string }>('/v1/sessions', { email, password: PASSWORD }),
        () => admin[1].put(`/v1/users/${id}/password`, { newPassword: 'another password altogether' }),
      );
      expect(change.status).toBe(204);
      expect([201, 401]).toContain(answer.status);
      if (answer.status === 201) {
        expect((await as(1, `Bearer ${answer.body.token}`).get('/v1/sessions/current')).status).toBe(401);
      }
    });
  }, 300_000);

  test('a key created while its creator is deactivated or deleted is refused', async () => {
    await eachRound(async (round) => {
      const { id, email } = await newUser(true);
      const creator = await signIn(0, email, PASSWORD);
      const parts = { name: `Late ${round}`, expiryDate: '2099-06-30T22:00:00Z', endpoints: [CAMPAIGNS] };
      const [creation, end] = await race(
        round,
        () => creator.post<MadeKey>('/v1/api_keys', parts),
        () =>
          round % 4 < 2
            ? admin[1].put(`/v1/users/${id}`, { state: 'deactivated' })
            : admin[1].delete(`/v1/users/${id}`),
      );
      expect(end.status).toBe(round % 4 < 2 ? 200 : 204);
      expect([201, 401]).toContain(creation.status);
      if (creation.status === 201) {
        const answer = await as(1, `ManagementKey-v1 ${creation.body.key}`).get('/v1/applications/1/campaigns');
        expect(answer).toMatchObject({ status: 401, body: { code: expect.stringMatching(/^creator-/) } });
      }
    });
  }, 300_000);

  test('only one succeeds when two admins demote, deactivate or delete each other', async () => {
    const ways: ((client: Client, user: { id: number; email: string }) => Promise<Answer>)[] = [
      (client, user) => client.put(`/v1/users/${user.id}`, { isAdmin: false }),
      (client, user) => client.put(`/v1/users/${user.id}`, { state: 'deactivated' }),
      (client, user) => client.delete(`/v1/users/${user.id}`),
      (client, user) => client.post('/v1/users/delete', { email: user.email }),
    ];
    const { body } = await admin[0].get<{ user: { id: number } }>('/v1/sessions/current');
    // The remaining admin creates the next one.
    let one = { id: body.user.id, email: ADMIN_EMAIL, password: ADMIN_PASSWORD };
    await eachRound(async (round) => {
      const [here, there] = [await signIn(0, one.email, one.password), await signIn(1, one.email, one.password)];
      admin = [here, there];
      const other = { ...(await newUser(true)), password: PASSWORD };
      const otherClient = await signIn(1, other.email, PASSWORD);
      const way = ways[round % ways.length]!;
      await race(
        round,
        () => way(here, other),
        () => way(otherClient, one),
      );
      const alive = [
        (await there.get('/v1/users')).status === 200,
        (await otherClient.get('/v1/users')).status === 200,
      ];
      expect(alive.filter(Boolean)).toHaveLength(1);
      one = alive[0] ? one : other;
    });
    admin = [await signIn(0, one.email, one.password), await signIn(1, one.email, one.password)];
    const admins = await admin[0].get<{ data: { isAdmin: boolean; state: string }[] }>('/v1/users?pageSize=1000');
    expect(admins.body.data.filter(({ isAdmin, state }) => isAdmin && state === 'active')).toHaveLength(1);
  }, 300_000);
});
