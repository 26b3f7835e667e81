import { request as httpRequest } from 'node:http';
import { EndpointCatalogue } from '../../src/access/endpoint-catalogue.js';
import type { OwnEndpoint } from '../../src/access/access.js';
import type { Answer, Client, ProblemBody } from '../support/client.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

const NOWHERE = '2147483647';
const PASSWORD = 'a password for the matrix';

/** The codes of the guard's refusals. All other responses come from the code behind it. */
const GUARD_CODES = [
  'credential-missing',
  'malformed',
  'unknown',
  'expired',
  'creator-deactivated',
  'creator-deleted',
  'no-application-left',
  'admin-required',
  'endpoint-not-allowed',
  'application-not-allowed',
  'application-malformed',
];

type Expectation = 'accepted' | (typeof GUARD_CODES)[number];

/**
 * One kind of caller, with the expected result of each endpoint. The expectations are independent of the code under
 * test.
 */
interface Row {
  name: string;
  caller: () => Client | Promise<Client>;
  expected: (endpoint: OwnEndpoint) => Expectation;
}

describe('the access matrix', () => {
  let latchkey: Latchkey;
  let endpoints: readonly OwnEndpoint[];
  let applicationId: number;
  let userId: number;
  const keys: Record<string, Client> = {};

  async function createKey(
    by: Client,
    name: string,
    chosen: readonly OwnEndpoint[],
    parts: Record<string, unknown> = {},
  ): Promise<{ id: number; client: Client }> {
    const answer = await by.post<{ id: number; key: string }>('/v1/api_keys', {
      name,
      expiryDate: '2027-01-01T00:00:00Z',
      endpoints: chosen.map(({ method, path }) => ({ method, path })),
      ...parts,
    });
    expect(answer).toMatchObject({ status: 201 });
    return { id: answer.body.id, client: latchkey.as(`ManagementKey-v1 ${answer.body.key}`) };
  }

  async function createUser(email: string, isAdmin: boolean): Promise<number> {
    const answer = await latchkey.admin.post<{ id: number }>('/v1/users', {
      name: email,
      email,
      password: PASSWORD,
      isAdmin,
    });
    expect(answer).toMatchObject({ status: 201 });
    return answer.body.id;
  }

  async function createApplication(name: string): Promise<number> {
    const answer = await latchkey.admin.post<{ id: number }>('/v1/applications', {
      name,
      timezone: 'Europe/Berlin',
      currency: 'EUR',
    });
    expect(answer).toMatchObject({ status: 201 });
    return answer.body.id;
  }

  beforeAll(async () => {
    latchkey = await startLatchkey();
    endpoints = latchkey.get(EndpointCatalogue).own;
    const grantable = endpoints.filter((endpoint) => endpoint.grantable);
    const scoped = grantable.filter((endpoint) => endpoint.scope === 'application');
    applicationId = await createApplication('The one');
    const otherId = await createApplication('The other');
    const goneId = await createApplication('The one that goes');
    userId = await createUser('user@example.com', false);
    const creatorId = await createUser('creator@example.com', true);
    const leaverId = await createUser('leaver@example.com', true);
    const creator = await latchkey.signIn('creator@example.com', PASSWORD);
    const leaver = await latchkey.signIn('leaver@example.com', PASSWORD);

    keys.all = (await createKey(latchkey.admin, 'all', grantable)).client;
    keys.limited = (
      await createKey(latchkey.admin, 'limited', scoped, { allowedApplicationIds: [applicationId] })
    ).client;
    keys.elsewhere = (
      await createKey(latchkey.admin, 'elsewhere', scoped, { allowedApplicationIds: [otherId] })
    ).client;
    keys.orphan = (await createKey(latchkey.admin, 'orphan', scoped, { allowedApplicationIds: [goneId] })).client;
    expect((await latchkey.admin.delete(`/v1/applications/${goneId}`)).status).toBe(204);
    const expiring = await createKey(latchkey.admin, 'expired', grantable, { expiryDate: '2026-11-23T13:00:00Z' });
    keys.expired = expiring.client;
    keys.disabled = (await createKey(creator, 'disabled', grantable)).client;
    expect((await latchkey.admin.put(`/v1/users/${creatorId}`, { state: 'deactivated' })).status).toBe(200);
    keys.ownerless = (await createKey(leaver, 'fatherless', grantable)).client;
    expect((await latchkey.admin.delete(`/v1/users/${leaverId}`)).status).toBe(204);
    const deleted = await createKey(latchkey.admin, 'deleted', grantable);
    keys.deleted = deleted.client;
    expect((await latchkey.admin.delete(`/v1/api_keys/${deleted.id}`)).status).toBe(204);
    latchkey.clock.set('2026-11-23T13:00:00.000Z');
  });
  afterAll(() => latchkey.close());

  /**
   * Returns a path that makes an authorized request harmless: it names nothing that exists, except a key's own
   * Application.
   */
  function pathOf(endpoint: OwnEndpoint): string {
    return endpoint.path.replaceAll(/\{(\w+)\}/g, (_match, name: string) => {
      if (name === 'applicationId' && endpoint.grantable) {
        return String(applicationId);
      }
      if (name === 'userId' && endpoint.access.kind === 'signed-in') {
        return String(userId);
      }
      return name === 'service' ? 'no-such-service' : NOWHERE;
    });
  }

  function call(endpoint: OwnEndpoint, client: Client): Promise<Answer<Partial<ProblemBody>>> {
    const body = ['POST', 'PUT', 'PATCH'].includes(endpoint.method) ? { nonsense: true } : undefined;
    return client.send(endpoint.method, pathOf(endpoint), body);
  }

  function outcome({ status, body }: Answer<Partial<ProblemBody>>): string {
    expect(status).toBeLessThan(500);
    return GUARD_CODES.includes(String(body.code)) ? body.code! : 'accepted';
  }

  const unlessPublic =
    (code: Expectation) =>
    (endpoint: OwnEndpoint): Expectation =>
      endpoint.access.kind === 'public' ? 'accepted' : code;
  const forKey =
    (whenGrantable: (endpoint: OwnEndpoint) => Expectation) =>
    (endpoint: OwnEndpoint): Expectation =>
      endpoint.access.kind === 'public'
        ? 'accepted'
        : endpoint.access.kind === 'key'
          ? whenGrantable(endpoint)
          : 'endpoint-not-allowed';

  const rows: Row[] = [
    {
      name: 'an unauthenticated client',
      caller: () => latchkey.anonymous,
      expected: unlessPublic('credential-missing'),
    },
    {
      name: 'a user',
      caller: () => latchkey.signIn('user@example.com', PASSWORD),
      expected: ({ access }) =>
        access.kind === 'admin-only' || (access.kind === 'key' && access.session === 'admin')
          ? 'admin-required'
          : 'accepted',
    },
    {
      name: 'an admin',
      caller: () => latchkey.signIn('admin@example.com', 'correct horse battery'),
      expected: () => 'accepted',
    },
    { name: 'a key with the grant', caller: () => keys.all!, expected: forKey(() => 'accepted') },
    {
      name: 'a key limited to the Application',
      caller: () => keys.limited!,
      expected: forKey(({ scope }) => (scope === 'application' ? 'accepted' : 'endpoint-not-allowed')),
    },
    {
      name: 'a key limited to another Application',
      caller: () => keys.elsewhere!,
      expected: forKey(({ scope }) => (scope === 'application' ? 'application-not-allowed' : 'endpoint-not-allowed')),
    },
    {
      name: 'a key whose last Application is deleted',
      caller: () => keys.orphan!,
      expected: unlessPublic('no-application-left'),
    },
    { name: 'an expired key', caller: () => keys.expired!, expected: unlessPublic('expired') },
    {
      name: 'a key of a deactivated creator',
      caller: () => keys.disabled!,
      expected: unlessPublic('creator-deactivated'),
    },
    { name: 'a key of a deleted creator', caller: () => keys.ownerless!, expected: unlessPublic('creator-deleted') },
    { name: 'a deleted key', caller: () => keys.deleted!, expected: unlessPublic('unknown') },
  ];

  test('covers every endpoint', () => {
    expect(endpoints.length).toBeGreaterThan(25);
  });

  test.each(rows)(
    '$name is accepted exactly at the endpoints whose declarations allow it',
    async ({ caller, expected }) => {
      const seen: string[] = [];
      const wanted: string[] = [];
      let client = await caller();
      for (const endpoint of endpoints) {
        const name = `${endpoint.method} ${endpoint.path}`;
        seen.push(`${name}: ${outcome(await call(endpoint, client))}`);
        wanted.push(`${name}: ${expected(endpoint)}`);
        if (endpoint.access.kind === 'signed-in') {
          // The request may have ended the caller's session.
          client = await caller();
        }
      }
      expect(seen).toEqual(wanted);
    },
  );

  test('a key with one grant is accepted at its endpoint and refused at another one', async () => {
    const grantable = endpoints.filter((endpoint) => endpoint.grantable);
    for (const [index, granted] of grantable.entries()) {
      const { client } = await createKey(latchkey.admin, `only ${index}`, [granted]);
      const other = grantable[(index + 1) % grantable.length]!;
      expect([granted.path, outcome(await call(granted, client))]).toEqual([granted.path, 'accepted']);
      expect([other.path, outcome(await call(other, client))]).toEqual([other.path, 'endpoint-not-allowed']);
    }
  });

  test('two Authorization headers are refused at every endpoint that needs one, even if both are valid', async () => {
    for (const endpoint of endpoints) {
      const status = await new Promise<number>((resolve, reject) => {
        const request = httpRequest(latchkey.url + pathOf(endpoint), {
          method: endpoint.method,
          headers: { authorization: [keys.all!.authorization!, latchkey.admin.authorization!] as unknown as string },
        });
        request.on('response', (response) => {
          response.resume();
          resolve(response.statusCode!);
        });
        request.on('error', reject);
        request.end();
      });
      if (endpoint.access.kind === 'public') {
        expect(status).not.toBe(401);
      } else {
        expect([endpoint.path, status]).toEqual([endpoint.path, 401]);
      }
    }
  });

  test('the declarations are these: a difference here is a change of permissions', () => {
    const lines = endpoints.map(({ method, path, scope, access }) => {
      const session = access.kind === 'key' ? `, session ${access.session}` : '';
      return `${method} ${path}: ${access.kind}${session} (${scope})`;
    });
    expect(lines.sort()).toMatchSnapshot();
  });
});
