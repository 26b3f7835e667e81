import { openSqlite } from '../../src/database/sqlite-driver.js';
import { Client } from '../support/client.js';
import { CAMPAIGNS, createApplication } from '../support/fixtures.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, type TestDatabase } from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';
import { readTrail } from './audit-trail.js';
import { createDatabaseOn, ENGINES } from './faulty-mysql.js';
import { type Lengths, Ledger, NOTHING, type Page } from './ledger.js';
import { until } from './until.js';

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 50);
const PROCESSES = 2;
const KEY_LANES = 3;
/** A round is cut off at a random time within this many milliseconds after it has started to work. */
const ROUND_MS = 400;
/** How many coupons a file has. With the larger file, a thread copies SQLite's log into the database file. */
const COUPONS = [3000, 12_000];
/** After how many rounds everything is checked. Other rounds check only what is new. */
const LOOKING_BACK = 10;

describe.each(ENGINES)('on %s, after kill -9', (engine) => {
  let database: TestDatabase;
  let servers: ServerProcess[] = [];
  let session: string;
  let applicationId: number;
  let roundEnds = false;
  const ledger = new Ledger();

  beforeAll(async () => {
    database = await createDatabaseOn(engine);
    servers = await Promise.all(Array.from({ length: PROCESSES }, start));
    const { body } = await client().post<{ token: string }>('/v1/sessions', {
      email: ADMIN_EMAIL,
      password: ADMIN_PASSWORD,
    });
    session = `Bearer ${body.token}`;
    applicationId = await createApplication(client());
  }, 120_000);
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await database.drop();
  }, 120_000);

  function start(): Promise<ServerProcess> {
    return startServer({ DATABASE_URL: database.url, DECISION_WAIT_MS: '10000' });
  }

  function client(number = 0): Client {
    return new Client(servers[number % PROCESSES]!.url, session, new Set());
  }

  /**
   * Does one piece of work after another until the server or the round ends. Requests without a response are in doubt.
   */
  async function lane(work: (turn: number) => Promise<void>): Promise<void> {
    for (let turn = 0; !roundEnds; turn += 1) {
      try {
        await work(turn);
      } catch (error) {
        // The errors of fetch when it finds no server, or loses it during a response.
        if (['fetch failed', 'terminated'].includes((error as Error).message)) {
          return;
        }
        throw error;
      }
    }
  }

  async function createAndDeleteKeys(server: Client, name: string): Promise<void> {
    await lane(async (turn) => {
      const entry = ledger.key(`${name} ${turn}`);
      const made = await server.post<{ id: number; key: string }>('/v1/api_keys', {
        name: entry.name,
        expiryDate: '2099-06-30T22:00:00Z',
        allowedApplicationIds: [applicationId],
        endpoints: [CAMPAIGNS],
      });
      expect(made).toMatchObject({ status: 201 });
      Object.assign(entry, { id: made.body.id, secret: made.body.key, state: 'alive' });
      if (turn % 2 === 1) {
        entry.state = 'in doubt';
        expect(await server.delete(`/v1/api_keys/${entry.id}`)).toMatchObject({ status: 204 });
        entry.state = 'deleted';
      }
    });
  }

  async function createAndChangeUsers(server: Client, name: string): Promise<void> {
    await lane(async (turn) => {
      const entry = ledger.user(`${name}-${turn}@example.com`);
      const made = await server.post<{ id: number }>('/v1/users', {
        name: entry.email,
        email: entry.email,
        password: 'a password of a user',
      });
      expect(made).toMatchObject({ status: 201 });
      Object.assign(entry, { id: made.body.id, state: 'active' });
      entry.state = 'in doubt';
      if (turn % 2 === 0) {
        const answer = await server.put(`/v1/users/${entry.id}`, { state: 'deactivated' });
        expect(answer).toMatchObject({ status: 200 });
        entry.state = 'deactivated';
      } else {
        expect(await server.delete(`/v1/users/${entry.id}`)).toMatchObject({ status: 204 });
        entry.state = 'deleted';
      }
    });
  }

  async function importCoupons(server: Client, round: number): Promise<void> {
    const name = `R${round}`;
    await lane(async (turn) => {
      const campaigns = `/v1/applications/${applicationId}/campaigns`;
      const campaign = await server.post<{ id: number }>(campaigns, { name: `${name} ${turn}` });
      expect(campaign).toMatchObject({ status: 201 });
      const count = COUPONS[(round + turn) % COUPONS.length]!;
      const entry = ledger.import(`${campaigns}/${campaign.body.id}`, count);
      const form = new FormData();
      const rows = Array.from({ length: count }, (_, row) => `${name}-${turn}-${row}`);
      form.set('upFile', new Blob([`value\n${rows.join('\n')}\n`]), 'coupons.csv');
      expect(await server.post(`${entry.path}/import_coupons`, form)).toMatchObject({ status: 200 });
      entry.state = 'imported';
    });
  }

  async function checkKeys(victim: number, since: Lengths): Promise<void> {
    for (const entry of ledger.keys.slice(since.keys)) {
      if (entry.id === undefined) {
        const { data } = (
          await client(victim).get<Page<{ id: number; name: string }>>(
            `/v1/api_keys?name=${encodeURIComponent(entry.name)}&pageSize=1000`,
          )
        ).body;
        const found = data.filter(({ name }) => name === entry.name);
        expect(found.length).toBeLessThanOrEqual(1);
        // No client has seen its secret, so only its integrity matters from now on.
        entry.state = found.length === 0 ? 'never created' : 'unseen';
        entry.id = found[0]?.id ?? 0;
      }
      if (entry.state === 'in doubt') {
        const { status } = await client(victim).get(`/v1/api_keys/${entry.id}`);
        entry.state = status === 200 ? 'alive' : 'deleted';
      }
      if (entry.state === 'alive' || entry.state === 'unseen') {
        const { status, body } = await client(victim).get(`/v1/api_keys/${entry.id}`);
        expect({ name: entry.name, status, body }).toMatchObject({
          status: 200,
          body: { endpoints: [CAMPAIGNS], allowedApplicationIds: [applicationId], state: 'valid' },
        });
      }
      if (entry.secret !== undefined) {
        const response = await fetch(`${servers[victim]!.url}/v1/applications/${applicationId}/campaigns`, {
          headers: { authorization: `ManagementKey-v1 ${entry.secret}` },
        });
        await response.arrayBuffer();
        const expected = entry.state === 'alive' ? 200 : 401;
        expect({ ...entry, status: response.status }).toEqual({ ...entry, status: expected });
      }
    }
  }

  async function checkUsers(victim: number, since: Lengths): Promise<void> {
    for (const entry of ledger.users.slice(since.users)) {
      if (entry.id === undefined) {
        const { data } = (
          await client(victim).get<Page<{ id: number; email: string }>>('/v1/users?pageSize=1000&sort=-id')
        ).body;
        entry.id = data.find(({ email }) => email === entry.email)?.id ?? 0;
        entry.state = entry.id === 0 ? 'never created' : 'active';
      }
      if (entry.id === 0) {
        continue;
      }
      const { status, body } = await client(victim).get<{ state: string }>(`/v1/users/${entry.id}`);
      const state = status === 404 ? 'deleted' : body.state;
      entry.state = entry.state === 'in doubt' ? state : entry.state;
      expect({ ...entry, state }).toEqual(entry);
    }
  }

  async function checkImports(victim: number, since: Lengths): Promise<void> {
    for (const entry of ledger.imports.slice(since.imports)) {
      const [first, last] = await Promise.all(
        [0, entry.count - 1].map(async (skip) => {
          const { body } = await client(victim).get<Page<unknown>>(
            `${entry.path}/coupons/no_total?skip=${skip}&pageSize=2`,
          );
          return body.data.length;
        }),
      );
      const found = first === 0 ? 'nothing' : last === 1 ? 'imported' : `not ${entry.count} coupons`;
      entry.state = entry.state === 'in doubt' && found === 'nothing' ? 'nothing' : entry.state;
      entry.state = entry.state === 'in doubt' && found === 'imported' ? 'imported' : entry.state;
      expect({ ...entry, found }).toEqual({ ...entry, found: entry.state });
    }
  }

  /** Checks that the audit log contains everything that was done, once, and nothing else. */
  async function checkAuditTrail(): Promise<void> {
    const trails = await Promise.all(
      ['/v1/api_keys', '/v1/users', '/import_coupons'].map((path) => readTrail(client(), path)),
    );
    const countChanges = (entity: RegExp): number => trails.flat().filter((each) => entity.test(each)).length;
    const count = (entries: { state: string }[], ...states: string[]): number =>
      entries.filter(({ state }) => states.includes(state)).length;
    expect({
      'keys created': countChanges(/^POST \/v1\/api_keys$/),
      'keys deleted': countChanges(/^DELETE \/v1\/api_keys\/\d+$/),
      'users created': countChanges(/^POST \/v1\/users$/),
      'users deactivated': countChanges(/^PUT \/v1\/users\/\d+$/),
      'users deleted': countChanges(/^DELETE \/v1\/users\/\d+$/),
      imports: countChanges(/^POST \/v1\/applications\/\d+\/campaigns\/\d+\/import_coupons$/),
    }).toEqual({
      'keys created': count(ledger.keys, 'alive', 'unseen', 'deleted'),
      'keys deleted': count(ledger.keys, 'deleted'),
      'users created': count(ledger.users, 'active', 'deactivated', 'deleted'),
      'users deactivated': count(ledger.users, 'deactivated'),
      'users deleted': count(ledger.users, 'deleted'),
      imports: count(ledger.imports, 'imported'),
    });
  }

  test(
    `every acknowledged change is kept, and every other change is complete or absent, ${ROUNDS} times`,
    async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const victim = round % PROCESSES;
        const before = ledger.acknowledged;
        const atTheBeginning = ledger.lengths;
        roundEnds = false;
        const lanes = [
          ...Array.from({ length: KEY_LANES }, (_, number) =>
            createAndDeleteKeys(client(round + number), `Round ${round}, lane ${number},`),
          ),
          createAndChangeUsers(client(round), `round-${round}`),
          importCoupons(client(round), round),
        ];
        const ended = Promise.all(lanes);
        await Promise.race([ended, until('something was acknowledged', () => ledger.acknowledged > before + 3)]);
        // The only sleep in this test: it makes the time of the kill random.
        await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, Math.random() * ROUND_MS))]);
        servers[victim]!.kill('SIGKILL');
        roundEnds = true;
        await Promise.all([ended, servers[victim]!.exited]);
        servers[victim] = await start();
        const isThorough = round % LOOKING_BACK === LOOKING_BACK - 1 || round === ROUNDS - 1;
        const since = isThorough ? NOTHING : atTheBeginning;
        await Promise.all([checkKeys(victim, since), checkUsers(victim, since), checkImports(victim, since)]);
        await checkAuditTrail();
      }
      expect(ledger.acknowledged).toBeGreaterThan(ROUNDS * 3);
      if (database.engine === 'sqlite') {
        const file = openSqlite(database.url.slice('sqlite:'.length), { readonly: true });
        expect(file.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }]);
        file.close();
      }
      expect(ledger.inDoubt).toBe(0);
    },
    60_000 + ROUNDS * 20_000,
  );
});
