import { Callers, closeCallers } from '../support/callers.js';
import { Client } from '../support/client.js';
import { type CouponPlace, createPlace, generateCoupons, IMPORT_COUPONS } from '../backoffice/coupon-fixtures.js';
import { CAMPAIGNS, createApplication, createKey } from '../support/fixtures.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD } from '../support/harness.js';
import { type Replica, Replicas } from '../support/replicas.js';
import { size } from '../support/size.js';
import { isChosen } from '../suites.mjs';
import { WorkInProgress } from './work-in-progress.js';

const PROCESSES = size('races', 2, 4);
const LANES = size('races', 3, 5);
const ROUNDS = size('races', 4, 44);
const CALLERS_PER_LANE = 4;
/** How many requests must be accepted before the end in each round, and sent after it. Fewer would prove nothing. */
const ACCEPTED_PER_ROUND = 4;
const CHECKS_PER_ROUND = 12;
const PASSWORD = 'a password for the lanes';
/** An export of this many coupons with large attributes does not fit into the buffers of the system. */
const LARGE = { coupons: 1500, attributes: { filler: 'x'.repeat(9900) } };
const WORK = [
  CAMPAIGNS,
  { method: 'POST', path: CAMPAIGNS.path },
  { method: 'GET', path: '/v1/applications/{applicationId}/export_coupons' },
  IMPORT_COUPONS,
];

describe('once the end of a key has been answered', () => {
  let replicas: Replicas<Replica>;
  let session: string;
  let large: CouponPlace;

  beforeAll(async () => {
    const environment = { DECISION_WAIT_MS: '5000', IMPORTS_CONCURRENT_MAX: '20' };
    replicas = await (isChosen('races')
      ? Replicas.start(PROCESSES, environment)
      : Replicas.startInProcess(PROCESSES, environment));
    session = await signIn(ADMIN_EMAIL, ADMIN_PASSWORD);
    large = await createPlace(client(session));
    const { coupons: numberOfCoupons, attributes } = LARGE;
    const made = await generateCoupons(client(session), large, { numberOfCoupons, attributes }, '?silent=yes');
    expect(made).toMatchObject({ status: 204 });
  }, 60_000);
  afterAll(async () => {
    closeCallers();
    await replicas.stop();
  });

  /** Returns a client of any of the processes. */
  function client(authorization?: string): Client {
    return new Client(replicas.servers[Math.floor(Math.random() * PROCESSES)]!.url, authorization, new Set());
  }

  async function signIn(email: string, password: string): Promise<string> {
    const { body } = await client().post<{ token: string }>('/v1/sessions', { email, password });
    return `Bearer ${body.token}`;
  }

  async function setState(userId: number, state: string): Promise<void> {
    expect(await client(session).put(`/v1/users/${userId}`, { state })).toMatchObject({ status: 200 });
  }

  /** Registers a service with one endpoint, or with none. */
  async function putService(service: string, path?: string): Promise<void> {
    const parameters = [{ name: 'applicationId', in: 'path', required: true, schema: { type: 'integer' } }];
    const operation = { summary: 'Read', responses: { 200: { description: 'It.' } } };
    const paths = path === undefined ? {} : { [path]: { parameters, get: operation } };
    const openapi = { openapi: '3.1.0', info: { title: service, version: '1' }, paths };
    const { status } = await client(session).put(`/v1/services/${service}`, { name: service, openapi });
    expect([200, 201]).toContain(status);
  }

  /** Ends one key after another, in every possible way, while its callers send requests continuously. */
  async function runLane(lane: number): Promise<Callers> {
    const email = `lane${lane}@example.com`;
    const service = `lane-${lane}`;
    const foreign = { service, method: 'GET', path: '/things/{applicationId}' };
    const creator = await client(session).post<{ id: number }>('/v1/users', {
      name: email,
      email,
      password: PASSWORD,
      isAdmin: true,
    });
    let creatorSession = await signIn(email, PASSWORD);
    await putService(service, foreign.path);
    const urls = replicas.servers.map(({ url }) => url);
    const callers = new Callers(urls, () => session, CALLERS_PER_LANE);
    const exports: Promise<string[]>[] = [];

    const end = async (work: () => Promise<void>, inProgress?: WorkInProgress): Promise<void> => {
      await callers.accepted(ACCEPTED_PER_ROUND);
      await work();
      callers.end();
      if (inProgress) {
        exports.push(inProgress.watch());
        callers.violations.push(...(await inProgress.finish()));
      }
      await callers.checked(CHECKS_PER_ROUND);
    };
    const remove = async (path: string): Promise<void> => {
      expect(await client(session).delete(path)).toMatchObject({ status: 204 });
    };

    try {
      for (let round = 0; round < ROUNDS && callers.violations.length === 0; round += 1) {
        const way = round % 4;
        const applicationId = await createApplication(client(session), `Lane ${lane}, round ${round}`);
        const { id, key } = await createKey(client(creatorSession), {
          endpoints: way === 3 ? [foreign] : WORK,
          allowedApplicationIds: way === 0 ? [applicationId, large.applicationId] : [applicationId],
        });
        const begin = (alsoAt?: CouponPlace): Promise<WorkInProgress> =>
          WorkInProgress.begin(urls, `ManagementKey-v1 ${key}`, applicationId, alsoAt);
        const target =
          way === 3
            ? { service, path: `/things/${applicationId}`, key }
            : { service: 'management', path: `/v1/applications/${applicationId}/campaigns`, key };
        callers.begin(target);
        switch (way) {
          case 0:
            await end(() => remove(`/v1/api_keys/${id}`), await begin(large));
            break;
          case 1:
            await end(() => remove(`/v1/applications/${applicationId}`), await begin());
            break;
          case 2:
            await end(() => setState(creator.body.id, 'deactivated'), await begin());
            callers.begin(target);
            await setState(creator.body.id, 'active');
            await callers.accepted(ACCEPTED_PER_ROUND);
            creatorSession = await signIn(email, PASSWORD);
            break;
          case 3:
            await end(() => putService(service));
            callers.begin(target);
            await putService(service, foreign.path);
            await callers.accepted(ACCEPTED_PER_ROUND);
            break;
        }
      }
    } finally {
      await callers.stop();
    }
    callers.violations.push(...(await Promise.all(exports)).flat());
    return callers;
  }

  test('no call that starts later is accepted, and no work in progress goes on, by any process', async () => {
    const lanes = await Promise.allSettled(Array.from({ length: LANES }, (_, lane) => runLane(lane)));
    const finished = lanes.map((lane) => {
      if (lane.status === 'rejected') {
        throw lane.reason;
      }
      return lane.value;
    });
    expect(finished.flatMap(({ violations }) => violations)).toEqual([]);
    for (const { checkCount, acceptedCount } of finished) {
      expect(checkCount).toBeGreaterThanOrEqual(ROUNDS * CHECKS_PER_ROUND);
      expect(acceptedCount).toBeGreaterThanOrEqual(ROUNDS * ACCEPTED_PER_ROUND);
    }
  }, 600_000);
});
