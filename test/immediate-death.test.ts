import { Agent, request as httpRequest } from 'node:http';
import { createDatabase, ADMIN_EMAIL, ADMIN_PASSWORD, type TestDatabase } from './harness.js';
import { Client } from './client.js';
import { type ServerProcess, startServer } from './process.js';

const PROCESSES = 4;
const LANES = 6;
const ROUNDS = 50;
/** Calls that must have started after a key's end, in each round, before it counts as seen. */
const CHECKS_PER_ROUND = 12;
const PASSWORD = 'a password for the lanes';

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** The status of a call, as quickly as Node can make it. */
function statusOf(url: string, headers: Record<string, string>, method = 'GET', body?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, agent, headers });
    request.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode!));
    });
    request.on('error', reject);
    request.end(body);
  });
}

describe('once the end of a key has been answered', () => {
  let database: TestDatabase;
  let servers: ServerProcess[];
  let admins: Client[];

  beforeAll(async () => {
    database = await createDatabase();
    servers = await Promise.all(
      Array.from({ length: PROCESSES }, () => startServer({ DATABASE_URL: database.url, DECISION_WAIT_MS: '5000' })),
    );
    const secrets = new Set<string>();
    const session = await new Client(servers[0]!.url, undefined, secrets).post<{ token: string }>('/v1/sessions', {
      email: ADMIN_EMAIL,
      password: ADMIN_PASSWORD,
    });
    admins = servers.map(({ url }) => new Client(url, `Bearer ${session.body.token}`, secrets));
  });
  afterAll(async () => {
    agent.destroy();
    await Promise.all(servers.map((server) => server.stop()));
    await database.drop();
  });

  /** One caller population with keys of its own: calls without pause, on all processes, while a key is ended and replaced. */
  async function runLane(lane: number): Promise<{ checks: number; accepted: number }> {
    const admin = (): Client => admins[Math.floor(Math.random() * PROCESSES)]!;
    const name = `lane ${lane}`;
    const creator = await admin().post<{ id: number }>('/v1/users', {
      name,
      email: `lane${lane}@example.com`,
      password: PASSWORD,
      isAdmin: true,
    });
    const session = await new Client(servers[0]!.url, undefined, new Set()).post<{ token: string }>('/v1/sessions', {
      email: `lane${lane}@example.com`,
      password: PASSWORD,
    });
    let token = session.body.token;
    let checks = 0;
    let accepted = 0;
    let round = 0;
    let applicationId = 0;
    let key = '';
    /** One life of a key: `ended` once its end was answered, `revived` from before the request that revives it. */
    let life = { ended: true, revived: false };
    let stopped = false;
    let seenSinceEnd = 0;
    let acceptedThisRound = 0;
    const violations: string[] = [];

    const ask = async (caller: number): Promise<void> => {
      for (let turn = caller; !stopped; turn += 1) {
        if (key === '') {
          await new Promise(setImmediate);
          continue;
        }
        const { url } = servers[turn % PROCESSES]!;
        const startedIn = life;
        const startedAfterEnd = life.ended;
        const status = await statusOf(`${url}/v1/applications/${applicationId}/campaigns`, {
          authorization: `ManagementKey-v1 ${key}`,
        });
        if (status === 200) {
          accepted += 1;
          acceptedThisRound += 1;
        }
        if (startedAfterEnd && !startedIn.revived) {
          checks += 1;
          seenSinceEnd += 1;
          if (status !== 401) {
            violations.push(`round ${round}: accepted by process ${turn % PROCESSES}`);
          }
        }
        // 404: let in just before its Application went.
        if (![200, 401, 404].includes(status)) {
          violations.push(`round ${round}: answered ${status}`);
        }
      }
    };
    const until = async (condition: () => boolean): Promise<void> => {
      while (!condition() && violations.length === 0) {
        await new Promise(setImmediate);
      }
    };

    const callers = Array.from({ length: 4 }, (_, caller) => ask(caller));
    const newKey = async (limited: boolean): Promise<number> => {
      const application = await admin().post<{ id: number }>('/v1/applications', {
        name: `${name} ${round}`,
        timezone: 'UTC',
        currency: 'EUR',
      });
      const answer = await new Client(servers[lane % PROCESSES]!.url, `Bearer ${token}`, new Set()).post<{
        id: number;
        key: string;
      }>('/v1/api_keys', {
        name,
        expiryDate: '2099-01-01',
        endpoints: [{ method: 'GET', path: '/v1/applications/{applicationId}/campaigns' }],
        ...(limited && { allowedApplicationIds: [application.body.id] }),
      });
      expect(answer.status).toBe(201);
      applicationId = application.body.id;
      key = answer.body.key;
      acceptedThisRound = 0;
      seenSinceEnd = 0;
      life = { ended: false, revived: false };
      return answer.body.id;
    };
    const end = async (path: string, method: 'delete' | 'deactivate'): Promise<void> => {
      await until(() => acceptedThisRound >= 4);
      const answer =
        method === 'delete' ? await admin().delete(path) : await admin().put(path, { state: 'deactivated' });
      expect([200, 204]).toContain(answer.status);
      life.ended = true;
      await until(() => seenSinceEnd >= CHECKS_PER_ROUND);
    };

    try {
      for (; round < ROUNDS && violations.length === 0; round += 1) {
        switch (round % 3) {
          case 0:
            await end(`/v1/api_keys/${await newKey(false)}`, 'delete');
            break;
          case 1:
            await newKey(true);
            await end(`/v1/applications/${applicationId}`, 'delete');
            break;
          case 2: {
            await newKey(false);
            await end(`/v1/users/${creator.body.id}`, 'deactivate');
            // Reactivated, the creator's key lives again.
            life.revived = true;
            life = { ended: false, revived: false };
            acceptedThisRound = 0;
            expect((await admin().put(`/v1/users/${creator.body.id}`, { state: 'active' })).status).toBe(200);
            await until(() => acceptedThisRound >= 4);
            key = '';
            const again = await new Client(servers[0]!.url, undefined, new Set()).post<{ token: string }>(
              '/v1/sessions',
              {
                email: `lane${lane}@example.com`,
                password: PASSWORD,
              },
            );
            token = again.body.token;
            break;
          }
        }
        key = '';
      }
    } finally {
      stopped = true;
      await Promise.all(callers);
    }
    expect(violations).toEqual([]);
    return { checks, accepted };
  }

  test('no call that starts later is accepted, by any of four processes', async () => {
    const lanes = await Promise.allSettled(Array.from({ length: LANES }, (_, lane) => runLane(lane)));
    const finished = lanes.map((lane) => {
      if (lane.status === 'rejected') {
        throw lane.reason;
      }
      return lane.value;
    });
    const checks = finished.reduce((sum, lane) => sum + lane.checks, 0);
    const accepted = finished.reduce((sum, lane) => sum + lane.accepted, 0);
    // Too few would prove nothing.
    expect(checks).toBeGreaterThanOrEqual(LANES * ROUNDS * CHECKS_PER_ROUND);
    expect(accepted).toBeGreaterThanOrEqual(LANES * ROUNDS * 4);
  }, 180_000);
});
