import {
  type Authority,
  createAuthority,
  createThings,
  type Ending,
  ENDINGS,
  type Things,
} from '../support/authorities.js';
import { isChosen } from '../suites.mjs';
import { HeldRequest, RefusedAtHead, sendWhole, type WholeRequest } from '../support/held-request.js';
import type { RawAnswer } from '../support/raw-http.js';
import { PASSWORD, type Replica, Replicas } from '../support/replicas.js';
import type { Document } from '../security/openapi-requests.js';
import { readTables, type Row } from '../support/sql.js';
import { type Subjects, validRequest, type WritingEndpoint, writingEndpoints } from '../support/valid-requests.js';

let count = 0;

/** Returns the values for the requests of one operation. */
function subjectsOf(things: Things): Subjects {
  const properties: Record<string, () => unknown> = {
    // Addresses of new users have a format in the document. Those of existing users have none.
    email: () => `new${(count += 1)}@replicas.example`,
    'activateUserByEmail.email': () => things.deactivatedEmail,
    'deactivateUserByEmail.email': () => things.email,
    'deleteUserByEmail.email': () => things.email,
    name: () => `Name ${(count += 1)}`,
    password: () => PASSWORD,
    newPassword: () => PASSWORD,
    upFile: () => `value\nCODE-${(count += 1)}\n`,
  };
  return {
    parameter: (name) => things[name as keyof Things],
    property: (name) => properties[name]?.(),
  };
}

/** Returns all rows except the counters of usage, which also count refused requests. */
async function readState({ database }: Replicas<Replica>): Promise<Record<string, Row[]>> {
  return { ...(await readTables(database)), api_key_usage: [] };
}

function withAuthority(request: WholeRequest, { authorization }: Authority): WholeRequest {
  return { ...request, headers: [...request.headers, ['Authorization', authorization]] };
}

/** `npm test` tests one ending of each kind without processes, and omits the ending that needs one. */
const WHOLE = isChosen('races');
const TRIED = WHOLE ? ENDINGS : ENDINGS.filter(({ name }) => !name.endsWith('reset-password'));
const TRIED_FURTHER = WHOLE
  ? ENDINGS
  : (['session', 'key'] as const).map((kind) => TRIED.find((ending) => ending.kind === kind)!);

const isRefusal = ({ status }: RawAnswer): boolean => status === 401 || status === 403;

describe('a request that is held back until its authority has ended', () => {
  let replicas: Replicas<Replica>;
  let document: Document;
  let endpoints: WritingEndpoint[];

  beforeAll(async () => {
    replicas = await (WHOLE ? Replicas.start(2) : Replicas.startInProcess(2));
    document = (await replicas.keeper().get<Document>('/openapi.json')).body;
    endpoints = writingEndpoints(document).filter(({ operation }) => operation['x-access'].kind !== 'public');
  }, 90_000);
  afterAll(() => replicas.stop());

  const nameOf = ({ method, path }: Pick<WholeRequest, 'method' | 'path'>): string => `${method} ${path}`;
  const grantable = (): WritingEndpoint[] => endpoints.filter(({ operation }) => operation['x-access'].kind === 'key');

  /** Returns the endpoints that an ending closes. */
  function endpointsOf({ kind, concerns = () => true }: Ending): WritingEndpoint[] {
    return (kind === 'key' ? grantable() : endpoints).filter(({ operation }) => concerns(operation['x-access']));
  }

  function createCaller(ending: Ending): Promise<Authority> {
    return createAuthority(replicas, ending, endpointsOf(ending));
  }

  /** Returns the outcome of a response: its status, and the code of a refusal. */
  function outcome({ status, body }: RawAnswer): string {
    return body.startsWith('{') ? `${status} ${(JSON.parse(body) as { code?: string }).code ?? ''}` : String(status);
  }

  /**
   * Holds requests, ends their authority, and finishes them. Each must get the refusal that a new request gets, and
   * nothing may change. A request that is pipelined after one of them must be refused as well.
   */
  async function holdAndEnd(
    ending: Ending,
    caller: Authority,
    requests: readonly WholeRequest[],
    behind?: WholeRequest,
  ): Promise<void> {
    const url = replicas.servers[0]!.url;
    const signed = requests.map((request) => withAuthority(request, caller));
    const held = await Promise.all(signed.map((request) => HeldRequest.begin(url, request)));
    await ending.end(replicas, caller);
    const before = await readState(replicas);
    const seen: string[] = [];
    const wanted: string[] = [];
    for (const [index, request] of signed.entries()) {
      const [first, second] = await held[index]!.finish(behind && withAuthority(behind, caller));
      const fresh = await sendWhole(url, request);
      expect([nameOf(request), fresh.status]).toEqual([
        nameOf(request),
        isRefusal(fresh) ? fresh.status : '401 or 403',
      ]);
      seen.push(`${nameOf(request)}: ${first ? outcome(first) : 'no response'}`);
      wanted.push(`${nameOf(request)}: ${outcome(fresh)}`);
      if (second && !isRefusal(second)) {
        seen.push(`${nameOf(request)}: and then ${outcome(second)}`);
      }
    }
    expect(seen).toEqual(wanted);
    expect(await readState(replicas)).toEqual(before);
  }

  /**
   * An Application that can be deleted is empty. So requests that look something up in it before they ask for the body
   * cannot be held.
   */
  async function holdable(requests: WholeRequest[], caller: Authority): Promise<WholeRequest[]> {
    const kept: WholeRequest[] = [];
    for (const request of requests) {
      try {
        (await HeldRequest.begin(replicas.servers[0]!.url, withAuthority(request, caller))).drop();
        kept.push(request);
      } catch (error) {
        if (!(error instanceof RefusedAtHead && error.answer?.status === 404)) {
          throw error;
        }
      }
    }
    expect(kept.length).toBeGreaterThan(1);
    return kept;
  }

  test('is carried out on every endpoint that takes a body, if its authority does not end', async () => {
    expect(endpoints.length).toBeGreaterThanOrEqual(14);
    for (const kind of ['session', 'key'] as const) {
      const caller = await createAuthority(replicas, { kind }, grantable());
      const lasting = await createThings(replicas);
      for (const endpoint of kind === 'key' ? grantable() : endpoints) {
        const name = `${kind}: ${endpoint.method} ${endpoint.path}`;
        // A request to deactivate or delete a user leaves nothing to do for the next such request.
        const things = endpoint.path.startsWith('/v1/users') ? await createThings(replicas) : lasting;
        const request = validRequest(document, endpoint, subjectsOf(things));
        const held = await HeldRequest.begin(replicas.servers[0]!.url, withAuthority(request, caller));
        const before = await readState(replicas);
        const [answer] = await held.finish();
        expect(`${name}: ${answer?.status} ${answer?.body}`).toMatch(/: 20[014] /);
        // A verification is the only request with a body that writes nothing.
        if (endpoint.operation.operationId !== 'verifyApiKey') {
          expect([name, await readState(replicas)]).not.toEqual([name, before]);
        }
      }
    }
  }, 120_000);

  test.each(TRIED)('is refused and changes nothing, on every endpoint: $name', async (ending) => {
    const caller = await createCaller(ending);
    const things = await createThings(replicas);
    const [applicationId = things.applicationId] = caller.applicationIds;
    const subjects = subjectsOf({ ...things, applicationId });
    const requests = endpointsOf(ending).map((endpoint) => validRequest(document, endpoint, subjects));
    await holdAndEnd(ending, caller, ending.applications ? await holdable(requests, caller) : requests);
  });

  test.each(TRIED_FURTHER)('is refused with what is pipelined behind it: $name', async (ending) => {
    const caller = await createCaller(ending);
    const things = await createThings(replicas);
    const [applicationId = things.applicationId] = caller.applicationIds;
    const subjects = subjectsOf({ ...things, applicationId });
    const [first, behind] = endpointsOf(ending);
    await holdAndEnd(
      ending,
      caller,
      [validRequest(document, first!, subjects)],
      validRequest(document, behind!, subjects),
    );
  });

  const json = (method: string, path: string, body: object): WholeRequest => ({
    method,
    path,
    headers: [['Content-Type', 'application/json']],
    body: Buffer.from(JSON.stringify(body)),
  });

  test.each(TRIED_FURTHER.filter(({ kind, concerns }) => kind === 'session' && !concerns))(
    'is refused where it is about its own caller, changes nothing, conflicts, or names what is not there: $name',
    async (ending) => {
      const caller = await createCaller(ending);
      const { applicationId, campaignId, couponId, email, userId } = await createThings(replicas);
      const campaign = `/v1/applications/${applicationId}/campaigns/${campaignId}`;
      const self = `/v1/users/${caller.owner.id}`;
      await holdAndEnd(ending, caller, [
        json('PUT', self, { state: 'active', isAdmin: true }),
        json('PUT', `${self}/password`, { currentPassword: PASSWORD, newPassword: `${PASSWORD} again` }),
        json('PUT', `/v1/applications/${applicationId}`, { currency: 'EUR' }),
        json('PUT', `/v1/users/${userId}`, { state: 'active' }),
        json('PUT', campaign, { name: 'Summer sale' }),
        json('PUT', `${campaign}/coupons/${couponId}`, { usageLimit: 1 }),
        json('POST', '/v1/users/activate', { email }),
        json('POST', '/v1/users', { name: 'Taken', email, password: PASSWORD }),
        json('PUT', '/v1/users/2147483647', { name: 'Nobody' }),
        json('PUT', `/v1/applications/${applicationId}/campaigns/2147483647`, { name: 'None' }),
        json('POST', '/v1/users/delete', { email: 'nobody@replicas.example' }),
      ]);
    },
  );

  test.each(TRIED_FURTHER.filter(({ kind, concerns }) => kind === 'key' && !concerns))(
    'is refused where it changes nothing or names what is not there: $name',
    async (ending) => {
      const caller = await createCaller(ending);
      const { applicationId, campaignId, couponId, email } = await createThings(replicas);
      const campaign = `/v1/applications/${applicationId}/campaigns/${campaignId}`;
      await holdAndEnd(ending, caller, [
        json('PUT', campaign, { name: 'Summer sale' }),
        json('PUT', `${campaign}/coupons/${couponId}`, { usageLimit: 1 }),
        json('POST', '/v1/users/activate', { email }),
        json('PUT', `/v1/applications/${applicationId}/campaigns/2147483647`, { name: 'None' }),
        json('PUT', `${campaign}/coupons/2147483647`, { usageLimit: 2 }),
        json('POST', '/v1/users/delete', { email: 'nobody@replicas.example' }),
      ]);
    },
  );

  test('gets owner-not-admin with a key whose creator was demoted', async () => {
    const ending = ENDINGS.find(({ name }) => name === 'a key whose creator was demoted')!;
    const caller = await createCaller(ending);
    const { email } = await createThings(replicas);
    const request = withAuthority(json('POST', '/v1/users/deactivate', { email }), caller);
    const held = await HeldRequest.begin(replicas.servers[0]!.url, request);
    await ending.end(replicas, caller);
    const [answer] = await held.finish();
    expect(answer && outcome(answer)).toBe('403 owner-not-admin');
  });
});
