import { setTimeout as sleep } from 'node:timers/promises';
import { done, ENDINGS } from '../support/authorities.js';
import type { Client, ProblemBody } from '../support/client.js';
import {
  type CouponPlace,
  createCampaign,
  createPlace,
  generateCoupons,
  importCoupons,
} from '../backoffice/coupon-fixtures.js';
import { CAMPAIGNS, createApplication, createKey } from '../support/fixtures.js';
import { HeldRequest } from '../support/held-request.js';
import { type MadeUser, PASSWORD, Replicas } from '../support/replicas.js';
import { openSql, runSql, type SqlConnection } from '../support/sql.js';

/** How often each pair of a write and an end races. */
const ROUNDS = Number(process.env.RACE_ROUNDS ?? 15);
const EXPIRY = '2099-06-30T22:00:00Z';
const COUPON = '/v1/applications/{applicationId}/campaigns/{campaignId}/coupons/{couponId}';
const GRANTED = [
  { method: 'POST', path: CAMPAIGNS.path },
  { method: 'PUT', path: COUPON },
  { method: 'POST', path: COUPON.replace('/{couponId}', '') },
];

/** A caller whose authority ends in each round and is restored for the next. */
interface Racer {
  owner: MadeUser;
  session: string;
  place: CouponPlace;
  couponId: number;
}

/** A write whose effect can be read from the database. */
interface Write {
  name: string;
  method: string;
  path(racer: Racer): string;
  body(round: number): object;
  /** Returns SQL that counts the effects of a round in the database. */
  effect(racer: Racer, round: number): string;
  /** About how long the work takes before it commits, in milliseconds. */
  workMs: number;
}

const campaignsOf = ({ place }: Racer): string => `/v1/applications/${place.applicationId}/campaigns`;

const UPDATE: Write = {
  name: 'update of a coupon',
  method: 'PUT',
  path: ({ place, couponId }) => `${place.path}/coupons/${couponId}`,
  body: (round) => ({ usageLimit: round }),
  effect: ({ couponId }, round) =>
    `SELECT COUNT(*) AS number FROM coupons WHERE id = ${couponId} AND usage_limit = ${round}`,
  workMs: 2,
};
const CREATION: Write = {
  name: 'creation of a campaign',
  method: 'POST',
  path: campaignsOf,
  body: (round) => ({ name: `Race ${round}` }),
  effect: (_racer, round) => `SELECT COUNT(*) AS number FROM campaigns WHERE name = 'Race ${round}'`,
  workMs: 2,
};
const GENERATION: Write = {
  name: 'generation of coupons',
  method: 'POST',
  path: ({ place }) => `${place.path}/coupons`,
  body: (round) => ({ usageLimit: 1, numberOfCoupons: 5, recipientIntegrationId: `race-${round}` }),
  effect: (_racer, round) => `SELECT COUNT(*) AS number FROM coupons WHERE recipient_integration_id = 'race-${round}'`,
  workMs: 3,
};
const USER: Write = {
  name: 'creation of an admin',
  method: 'POST',
  path: () => '/v1/users',
  body: (round) => ({ name: 'New', email: `race${round}@replicas.example`, password: PASSWORD, isAdmin: true }),
  effect: (_racer, round) => `SELECT COUNT(*) AS number FROM users WHERE email = 'race${round}@replicas.example'`,
  workMs: 60,
};
const KEY: Write = {
  name: 'creation of a key',
  method: 'POST',
  path: () => '/v1/api_keys',
  body: (round) => ({ name: `Race ${round}`, expiryDate: EXPIRY, endpoints: [CAMPAIGNS] }),
  effect: (_racer, round) => `SELECT COUNT(*) AS number FROM api_keys WHERE name = 'Race ${round}'`,
  workMs: 2,
};
const ONESELF: Write = {
  name: 'change of one’s own name',
  method: 'PUT',
  path: ({ owner }) => `/v1/users/${owner.id}`,
  body: (round) => ({ name: `Race ${round}` }),
  effect: (_racer, round) => `SELECT COUNT(*) AS number FROM users WHERE name = 'Race ${round}'`,
  workMs: 2,
};

/** The writes that race with each ending that a racer can recover from. */
const RACED: Record<string, Write[]> = {
  'a key that was deleted': [UPDATE, CREATION, GENERATION],
  'a key that expired': [GENERATION],
  'a key whose creator was deactivated': [UPDATE],
  'a session that was signed out': [USER, KEY, ONESELF, UPDATE],
  'a session whose user was deactivated': [KEY, UPDATE],
  'a session whose user was demoted': [USER, KEY],
  'a session whose user got a new password from an admin': [ONESELF],
};

const PAIRS = ENDINGS.flatMap((ending) =>
  (RACED[ending.name] ?? []).map((write) => ({ ending, write, race: `${write.name}, ${ending.name}` })),
);

/** The head start of a write before an end. It adapts so that both win about equally often. */
class HeadStart {
  private stepMs = 4;
  private last: boolean | undefined;

  constructor(private ms: number) {}

  /** Waits until it is time to finish the write. */
  beforeWrite(): Promise<void> {
    return sleep(Math.max(0, -this.ms));
  }

  /** Waits until it is time to send the end. */
  beforeEnd(): Promise<void> {
    return sleep(Math.max(0, this.ms));
  }

  /** Adapts to the winner of a round. */
  note(writeWon: boolean): void {
    this.stepMs = this.last === writeWon ? Math.min(40, this.stepMs * 1.5) : Math.max(1, this.stepMs / 2);
    this.last = writeWon;
    this.ms += writeWon ? -this.stepMs : this.stepMs;
  }
}

describe('when a write and the end of its authority are sent at once to two processes', () => {
  let replicas: Replicas;
  let reader: SqlConnection;
  let round = 0;

  beforeAll(async () => {
    replicas = await Replicas.start(2);
    reader = await openSql(replicas.database);
  }, 90_000);
  afterAll(async () => {
    await reader.close();
    await replicas.stop();
  });

  async function read(sql: string): Promise<number> {
    const [row] = await reader.run(sql);
    return Number(row!.number);
  }

  async function createRacer(): Promise<Racer> {
    const owner = await replicas.createUser({ isAdmin: true });
    const place = await createPlace(replicas.keeper());
    const { body } = await generateCoupons(replicas.keeper(), place, {});
    return { owner, session: await replicas.signIn(owner.email), place, couponId: body.data[0]!.id };
  }

  /** Restores the authority that the last round took from a racer. */
  async function restore(racer: Racer, endingName: string): Promise<void> {
    if (/deactivated|demoted|password/.test(endingName)) {
      const whole = { state: 'active', isAdmin: true };
      await done(replicas.keeper().put(`/v1/users/${racer.owner.id}`, whole));
      await done(replicas.keeper().put(`/v1/users/${racer.owner.id}/password`, { newPassword: PASSWORD }));
    }
    if ((await replicas.as(racer.session).get('/v1/sessions/current')).status !== 200) {
      racer.session = await replicas.signIn(racer.owner.email);
    }
  }

  test.each(PAIRS)('the write never takes effect after the response to the end: $race', async ({ ending, write }) => {
    const racer = await createRacer();
    const violations: string[] = [];
    const seen = { carriedOut: 0, refused: 0 };
    const headStart = new HeadStart(write.workMs);
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      round += 1;
      const key = ending.kind === 'key' && (await createKey(replicas.as(racer.session), { endpoints: GRANTED }));
      const authorization = key ? `ManagementKey-v1 ${key.key}` : racer.session;
      const authority = { ...racer, authorization, keyId: key ? key.id : undefined, applicationIds: [] };
      const held = await HeldRequest.begin(replicas.servers[0]!.url, {
        method: write.method,
        path: write.path(racer),
        headers: [
          ['Content-Type', 'application/json'],
          ['Authorization', authorization],
        ],
        body: Buffer.from(JSON.stringify(write.body(round))),
      });
      const effect = write.effect(racer, round);
      const writing = headStart.beforeWrite().then(() => held.finish());
      const atTheEnd = headStart
        .beforeEnd()
        .then(() => ending.end(replicas, authority))
        .then(() => read(effect));
      const [[answer], before] = await Promise.all([writing, atTheEnd]);
      const after = await read(effect);
      if (after > before) {
        violations.push(`round ${turn}: the effect came after the response to the end (${answer?.status})`);
      }
      const isCarriedOut = answer !== undefined && answer.status < 300;
      if (isCarriedOut !== after > 0 || (!isCarriedOut && ![401, 403].includes(answer?.status ?? 0))) {
        violations.push(`round ${turn}: ${answer?.status} ${answer?.body}, and the effect is there ${after} times`);
      }
      seen[isCarriedOut ? 'carriedOut' : 'refused'] += 1;
      headStart.note(isCarriedOut);
      await restore(racer, ending.name);
    }
    expect(violations).toEqual([]);
    // Otherwise the race always had the same winner.
    expect(Math.min(seen.carriedOut, seen.refused)).toBeGreaterThan(0);
  });

  test('the write never succeeds after the deletion of the only Application of its key', async () => {
    const owner = await replicas.createUser({ isAdmin: true });
    const session = await replicas.signIn(owner.email);
    const outcomes = new Set<string>();
    const headStart = new HeadStart(0);
    for (let turn = 0; turn < ROUNDS * 4; turn += 1) {
      const applicationId = await createApplication(replicas.keeper());
      const { key } = await createKey(replicas.as(session), {
        endpoints: GRANTED,
        allowedApplicationIds: [applicationId],
      });
      const held = await HeldRequest.begin(replicas.servers[0]!.url, {
        method: 'POST',
        path: `/v1/applications/${applicationId}/campaigns`,
        headers: [
          ['Content-Type', 'application/json'],
          ['Authorization', `ManagementKey-v1 ${key}`],
        ],
        body: Buffer.from('{"name":"Race"}'),
      });
      const [[answer], deletion] = await Promise.all([
        headStart.beforeWrite().then(() => held.finish()),
        headStart.beforeEnd().then(() => replicas.keeper(1).delete(`/v1/applications/${applicationId}`)),
      ]);
      const code = (body: unknown): string => (body as Partial<ProblemBody>).code ?? '';
      outcomes.add(
        `${answer?.status} ${code(JSON.parse(answer?.body ?? '{}'))}, ${deletion.status} ${code(deletion.body)}`,
      );
      headStart.note(answer?.status === 201);
    }
    expect([...outcomes].sort()).toEqual(['201 , 409 application-in-use', '401 no-application-left, 204 ']);
  });
});

describe('of concurrent requests that end authorities', () => {
  let replicas: Replicas;

  beforeAll(async () => {
    replicas = await Replicas.start(2);
  }, 90_000);
  afterAll(() => replicas.stop());

  async function createAdmins(count: number): Promise<{ user: MadeUser; clients: Client[] }[]> {
    const admins: { user: MadeUser; clients: Client[] }[] = [];
    while (admins.length < count) {
      const user = await replicas.createUser({ isAdmin: true });
      const session = await replicas.signIn(user.email);
      admins.push({ user, clients: [replicas.as(session, 0), replicas.as(session, 1)] });
    }
    return admins;
  }

  const statusesOf = async (requests: Promise<{ status: number }>[]): Promise<number[]> =>
    (await Promise.all(requests)).map(({ status }) => status).sort();

  test('those of two admins who demote themselves both succeed', async () => {
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      const [one, other] = await createAdmins(2);
      const demote = ({ user, clients }: { user: MadeUser; clients: Client[] }, replica: number) =>
        clients[replica]!.put(`/v1/users/${user.id}`, { isAdmin: false });
      expect(await statusesOf([demote(one!, 0), demote(other!, 1)])).toEqual([200, 200]);
      for (const { clients } of [one!, other!]) {
        expect((await clients[0]!.get('/v1/users')).status).toBe(403);
      }
    }
  });

  test('two by which a session ends itself both succeed, or one is refused', async () => {
    const ways: ((client: Client, user: MadeUser) => Promise<{ status: number }>)[] = [
      (client) => client.delete('/v1/sessions'),
      (client) => client.delete('/v1/sessions?all=true'),
      (client, { id }) =>
        client.put(`/v1/users/${id}/password`, { currentPassword: PASSWORD, newPassword: `${PASSWORD} anew` }),
      (client, { id }) => client.put(`/v1/users/${id}`, { state: 'deactivated' }),
      (client, { id }) => client.delete(`/v1/users/${id}`),
    ];
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      const [admin] = await createAdmins(1);
      const way = ways[turn % ways.length]!;
      const statuses = await statusesOf(admin!.clients.map((client) => way(client, admin!.user)));
      expect([200, 204]).toContain(statuses[0]);
      // If the password was replaced in the meantime, it is also the wrong password.
      expect([200, 204, 401, 403]).toContain(statuses[1]);
      expect((await admin!.clients[0]!.get('/v1/sessions/current')).status).toBe(401);
    }
  });

  test('those of admins who act on each other, and off-boarding during imports, never deadlock', async () => {
    const { database } = replicas;
    const keeper = replicas.keeper(1);
    const deadlocks = async (): Promise<number> => {
      const counter = "SELECT count AS number FROM information_schema.INNODB_METRICS WHERE name = 'lock_deadlocks'";
      return database.engine === 'mysql' ? Number((await runSql(database, counter))[0]!.number) : 0;
    };
    const before = await deadlocks();
    const unexpected: string[] = [];
    const note = (what: string, { status, body }: { status: number; body: unknown }, expected: number[]): void => {
      if (!expected.includes(status)) {
        unexpected.push(`${what}: ${status} ${JSON.stringify(body)}`);
      }
    };
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      const admins = await createAdmins(3);
      const [one, other, third] = admins as [(typeof admins)[0], (typeof admins)[0], (typeof admins)[0]];
      const place = await createCampaign(keeper, await createApplication(keeper));
      const key = await createKey(third.clients[0]!, {
        endpoints: [{ method: 'POST', path: '/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons' }],
      });
      const csv = `value\n${Array.from({ length: 3000 }, (_, row) => `C-${turn}-${row}\n`).join('')}`;
      const importing = importCoupons(replicas.as(`ManagementKey-v1 ${key.key}`), place, csv);
      const dead = [200, 204, 401, 403, 404];
      await Promise.all([
        importing.then((response) => note('import', response, [200, 401])),
        one.clients[0]!.put(`/v1/users/${other.user.id}`, { isAdmin: false }).then((r) => note('one', r, dead)),
        other.clients[1]!.put(`/v1/users/${one.user.id}`, { isAdmin: false }).then((r) => note('other', r, dead)),
        one.clients[1]!.put(`/v1/users/${other.user.id}/password`, { newPassword: `${PASSWORD} anew` }).then((r) =>
          note('password', r, dead),
        ),
        other.clients[0]!.delete('/v1/sessions?all=true').then((r) => note('sign-out', r, dead)),
        createKey(one.clients[0]!).then(
          () => undefined,
          (error: Error) => /admin-required|unknown/.test(error.message) || unexpected.push(error.message),
        ),
        keeper.put(`/v1/users/${third.user.id}`, { state: 'deactivated' }).then((r) => note('off-boarding', r, [200])),
        keeper.delete(`/v1/api_keys/${key.id}`).then((r) => note('deletion of a key', r, [204])),
      ]);
      note('deletion of a user', await keeper.delete(`/v1/users/${third.user.id}`), [204]);
    }
    expect(unexpected).toEqual([]);
    if ((await deadlocks()) > before) {
      // The counter belongs to the whole server, which other tests may use.
      const [status] = await runSql(database, 'SHOW ENGINE INNODB STATUS');
      const [, latest = ''] = String(status!.Status).split('LATEST DETECTED DEADLOCK');
      expect(latest.split('\nTRANSACTIONS\n')[0]).not.toContain(new URL(database.url).pathname.slice(1));
    }
  });
});
