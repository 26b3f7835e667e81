import { APPLICATIONS, summary, usageOf, usageOnce } from '../api-keys/usage-fixtures.js';
import { createApplication, createKey } from '../support/fixtures.js';
import { runToEnd } from '../support/process.js';
import { sendRaw } from '../support/raw-http.js';
import { PASSWORD, Replicas } from '../support/replicas.js';
import { document, putService } from '../services/service-fixtures.js';

// The tests of each feature show the same within one process. These show that processes share nothing else.

let replicas: Replicas;
beforeAll(async () => {
  replicas = await Replicas.start(3);
}, 60_000);
afterAll(() => replicas.stop());

describe('processes on one database', () => {
  test('count failed sign-ins together', async () => {
    const { email } = await replicas.createUser({ isAdmin: false });
    const statuses: number[] = [];
    for (let round = 0; round < 7; round += 1) {
      const password = round < 5 ? 'not the password' : PASSWORD;
      const { status } = await replicas.as(undefined, round % 2).post('/v1/sessions', { email, password });
      statuses.push(status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });

  test('refuse a changed meaning and accept a confirmed one, immediately after the response, ten times in a row', async () => {
    const service = 'replicated';
    const path = '/apps/{appId}/partners/{partnerId}';
    const openapi = document({ [path]: { get: {} } });
    const admin = replicas.keeper();
    const [four, five] = [await createApplication(admin), await createApplication(admin)];
    await putService(admin, service, openapi, { applicationParameter: 'appId' });
    const { key } = await createKey(admin, {
      endpoints: [{ service, method: 'GET', path }],
      allowedApplicationIds: [four],
    });
    const outcome = async (url: string, requested: string): Promise<string> => {
      const answer = await sendRaw(url, 'GET', `/v1/forward_auth/envoy/${service}${requested}`, [
        ['Authorization', `ManagementKey-v1 ${key}`],
      ]);
      return answer.status === 200 ? 'allowed' : (answer.headers['x-latchkey-error'] ?? '');
    };
    const everywhere = (requested: string): Promise<string[]> =>
      Promise.all(replicas.servers.map(({ url }) => outcome(url, requested)));
    expect(await everywhere(`/apps/${four}/partners/9`)).toEqual(['allowed', 'allowed', 'allowed']);
    for (let round = 0; round < 10; round += 1) {
      const meaning = { applicationParameter: round % 2 === 0 ? 'partnerId' : 'appId' };
      const requested = round % 2 === 0 ? `/apps/${five}/partners/${four}` : `/apps/${four}/partners/9`;
      await putService(admin, service, openapi, meaning);
      expect(await everywhere(requested)).toEqual(Array(3).fill('endpoint-not-allowed'));
      const { body } = await putService(admin, service, openapi, meaning, '?dryRun=true');
      const confirmChanges = body.changedGrants.digest;
      await putService(admin, service, openapi, { ...meaning, confirmChanges });
      expect(await everywhere(requested)).toEqual(Array(3).fill('allowed'));
    }
  }, 120_000);

  test('show a password reset by the command line in the audit log, with the operator as the actor', async () => {
    const { id, email } = await replicas.createUser({ isAdmin: true });
    const { code } = await runToEnd({ DATABASE_URL: replicas.database.url }, ['reset-password', email]);
    expect(code).toBe(0);
    const { body } = await replicas.keeper().get<{ data: object[] }>('/v1/changes?entityPath=reset-password');
    expect(body.data).toMatchObject([{ actor: 'operator', userId: 0, new: { id, password: 'changed' } }]);
  });

  // The last test, because it stops processes.
  test('add up their usage counters, which each writes periodically and before it shuts down', async () => {
    const key = await createKey(replicas.keeper(), { endpoints: [APPLICATIONS], expiryDate: '2099-01-01' });
    const callFromEach = async (): Promise<void> => {
      for (const replica of [0, 1]) {
        const caller = replicas.as(`ManagementKey-v1 ${key.key}`, replica);
        await Promise.all(Array.from({ length: 20 }, () => caller.get('/v1/applications')));
      }
    };
    const of = (amount: number): unknown[] => [['management GET /v1/applications', null, 'allowed', amount]];
    await callFromEach();
    expect(summary(await usageOnce(replicas.keeper(2), key, 40))).toEqual(of(40));
    await callFromEach();
    await replicas.servers[1]!.stop();
    await replicas.servers[0]!.stop();
    expect(summary(await usageOf(replicas.keeper(2), key))).toEqual(of(80));
  }, 60_000);
});
