import { default as TalonOne } from 'talon_one';
import { Change } from '../../src/audit/change.entity.js';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import type { Answer, Client, ProblemBody } from '../support/client.js';
import { createApplication, createKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

interface Entry {
  id: number;
  created: string;
  userId: number;
  applicationId?: number;
  entity: string;
  old?: Record<string, unknown> | null;
  new: Record<string, unknown> | null;
  managementKeyId?: number;
}
interface ChangesPage {
  totalResultSize?: number;
  hasMore: boolean;
  data: Entry[];
}
type Row = Omit<Change, 'id'>;

const NOW = Date.parse('2026-11-23T12:00:00.000Z');
const at = (offset: number): string => new Date(NOW + offset).toISOString();

describe('the audit log', () => {
  let latchkey: Latchkey;
  let admin: Client;
  let key: Client;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    ({ admin } = latchkey);
    const created = await createKey(admin, { endpoints: [{ method: 'GET', path: '/v1/changes' }] });
    key = latchkey.as(`ManagementKey-v1 ${created.key}`);
  });
  afterAll(() => latchkey.close());

  async function read(query: Record<string, string | number | boolean> = {}, by = admin): Promise<ChangesPage> {
    const parameters = new URLSearchParams(query as unknown as Record<string, string>);
    const answer = await by.get<ChangesPage>(`/v1/changes?${parameters}`);
    expect(answer.status).toBe(200);
    return answer.body;
  }

  /** Writes entries of a user who has no others. */
  async function write(rows: Partial<Row>[]): Promise<number[]> {
    const whole = rows.map((row) => ({
      created: NOW,
      userId: 1,
      applicationId: null,
      entity: 'PUT /v1/things/1',
      managementKeyId: null,
      hiddenFromKeys: false,
      old: null,
      new: null,
      ...row,
    }));
    return latchkey.get(TransactionRunner).inTransaction(async (tx) => {
      const ids: number[] = [];
      for (let start = 0; start < whole.length; start += 500) {
        const { identifiers } = await tx.insert(Change, whole.slice(start, start + 500));
        ids.push(...identifiers.map(({ id }) => id as number));
      }
      return ids;
    });
  }

  let users = 1000;
  /** Returns a user whose entries only one test uses. */
  const newUser = (): number => (users += 1);
  const idsOf = ({ data }: ChangesPage): number[] => data.map(({ id }) => id);

  test('lists the changes, oldest first, in the format of the public SDK', async () => {
    const applicationId = await createApplication(admin, 'First');
    latchkey.clock.advance(1);
    await admin.put(`/v1/applications/${applicationId}`, { name: 'Second' });
    latchkey.clock.set(NOW);
    const { hasMore, data, totalResultSize } = await read({ applicationId });
    expect([hasMore, totalResultSize, data.length]).toEqual([false, undefined, 2]);
    expect(data[1]).toEqual({
      id: expect.any(Number),
      created: '2026-11-23T12:00:00.001Z',
      userId: 1,
      actor: 'user',
      address: '127.0.0.1',
      applicationId,
      entity: `PUT /v1/applications/${applicationId}`,
      old: expect.objectContaining({ id: applicationId, name: 'First' }),
      new: expect.objectContaining({ id: applicationId, name: 'Second' }),
    });
    const [creation, change] = data.map((entry) => TalonOne.Change.constructFromObject(entry, undefined));
    expect([creation!.created.getTime(), change!.created.getTime()]).toEqual([NOW, NOW + 1]);
    expect(creation).toMatchObject({ old: null, entity: 'POST /v1/applications' });
  });

  test('omits the old values if includeOld is false', async () => {
    const userId = newUser();
    await write([{ userId, old: { a: 1 }, new: { a: 2 } }]);
    const [whole] = (await read({ userId, includeOld: true })).data;
    const [short] = (await read({ userId, includeOld: false })).data;
    expect(whole).toMatchObject({ old: { a: 1 }, new: { a: 2 } });
    expect(short).toMatchObject({ new: { a: 2 } });
    expect(short).not.toHaveProperty('old');
  });

  test('can be read by admins and by keys with the grant, but not by other users or without a credential', async () => {
    const password = 'just a user of this';
    await admin.post('/v1/users', { name: 'Una', email: 'una@example.com', password, isAdmin: false });
    const user = await latchkey.signIn('una@example.com', password);
    const refusals: Answer<ProblemBody>[] = [
      await user.get('/v1/changes'),
      await latchkey.anonymous.get('/v1/changes'),
    ];
    expect(refusals.map(({ status, body }) => [status, body.code])).toEqual([
      [403, 'admin-required'],
      [401, 'credential-missing'],
    ]);
    expect((await key.get('/v1/changes')).status).toBe(200);
  });

  test('hides changes of keys from keys, in totals and pages too', async () => {
    const userId = newUser();
    const ids = await write(
      Array.from({ length: 9 }, (_, i) => ({ userId, hiddenFromKeys: i % 3 !== 0, entity: `POST /v1/secret/${i}` })),
    );
    const shown = [ids[0], ids[3], ids[6]];
    expect(idsOf(await read({ userId }))).toEqual(ids);
    expect(idsOf(await read({ userId }, key))).toEqual(shown);
    expect(await read({ userId, withTotalResultSize: true, pageSize: 2 }, key)).toMatchObject({
      totalResultSize: 3,
      hasMore: true,
    });
    const last = await read({ userId, withTotalResultSize: true, pageSize: 2, skip: 2 }, key);
    expect([last.totalResultSize, last.hasMore, idsOf(last)]).toEqual([3, false, [ids[6]]]);
    expect(idsOf(await read({ userId, entityPath: 'secret/1' }, key))).toEqual([]);
    expect(idsOf(await read({ userId, sort: '-created' }, key))).toEqual(shown.toReversed());
  });

  test('hides the creation and deletion of a key from other keys', async () => {
    const created = await createKey(admin);
    await admin.delete(`/v1/api_keys/${created.id}`);
    const entities = async (by: Client): Promise<string[]> =>
      (await read({ entityPath: 'api_keys', pageSize: 1000 }, by)).data.map(({ entity }) => entity);
    expect(await entities(admin)).toContain(`DELETE /v1/api_keys/${created.id}`);
    expect(await entities(key)).toEqual([]);
  });

  describe('filters', () => {
    test('by time exclude the given moment', async () => {
      const userId = newUser();
      const [earlier, then, later] = await write([-1, 0, 1].map((offset) => ({ userId, created: NOW + offset })));
      const of = async (query: Record<string, string>): Promise<number[]> => idsOf(await read({ userId, ...query }));
      expect(await of({ createdBefore: at(-1) })).toEqual([]);
      expect(await of({ createdBefore: at(0) })).toEqual([earlier]);
      expect(await of({ createdBefore: at(1) })).toEqual([earlier, then]);
      expect(await of({ createdBefore: at(2) })).toEqual([earlier, then, later]);
      expect(await of({ createdAfter: at(-2) })).toEqual([earlier, then, later]);
      expect(await of({ createdAfter: at(-1) })).toEqual([then, later]);
      expect(await of({ createdAfter: at(0) })).toEqual([later]);
      expect(await of({ createdAfter: at(1) })).toEqual([]);
      expect(await of({ createdAfter: at(-1), createdBefore: at(1) })).toEqual([then]);
      expect(await of({ createdAfter: at(0), createdBefore: at(0) })).toEqual([]);
      expect(await of({ createdAfter: '2026-11-23T14:00:00+02:00' })).toEqual([later]);
      expect(await of({ createdBefore: '0000-01-01T00:00:00Z' })).toEqual([]);
      expect(await of({ createdAfter: '9999-12-31T23:59:59.999Z' })).toEqual([]);
    });

    test('by Application, user and key find exactly the matching changes, alone and combined', async () => {
      const [userId, other] = [newUser(), newUser()];
      const applicationId = users * 10;
      const managementKeyId = users * 20;
      const ids = await write([
        { userId },
        { userId, applicationId },
        { userId, applicationId, managementKeyId },
        { userId: other, applicationId, managementKeyId },
        { userId, applicationId: applicationId + 1, managementKeyId: managementKeyId + 1 },
      ]);
      const of = async (query: Record<string, number>): Promise<number[]> =>
        idsOf(await read(query)).map((id) => ids.indexOf(id));
      expect(await of({ userId })).toEqual([0, 1, 2, 4]);
      expect(await of({ applicationId })).toEqual([1, 2, 3]);
      expect(await of({ managementKeyId })).toEqual([2, 3]);
      expect(await of({ userId, applicationId })).toEqual([1, 2]);
      expect(await of({ userId, managementKeyId })).toEqual([2]);
      expect(await of({ applicationId, managementKeyId })).toEqual([2, 3]);
      expect(await of({ userId, applicationId, managementKeyId })).toEqual([2]);
      expect(await of({ userId: other, managementKeyId: managementKeyId + 1 })).toEqual([]);
      expect(await of({ userId: 2147483647 })).toEqual([]);
    });

    test.each<[string, number[]]>([
      ['/v1/Users/7', [0, 1]],
      ['/V1/USERS/7', [0, 1]],
      ['users/7', [0, 1]],
      ['users/70', [1]],
      ['PUT /v1/users', [0]],
      ['put', [0]],
      ['%', [2]],
      ['a_b', [2]],
      ['!', [2]],
      ['a%b', []],
      ['axb', [3]],
      ['\\', []],
      ["' OR 1=1 --", []],
      ['ü', []],
      ['x'.repeat(512), []],
    ])('by part of the path match it literally and in any case: %j', async (entityPath, expected) => {
      const userId = newUser();
      const ids = await write(
        ['PUT /v1/users/7', 'DELETE /v1/users/70', 'POST /v1/a_b/%!', 'POST /v1/axb'].map((entity) => ({
          userId,
          entity,
        })),
      );
      expect(idsOf(await read({ userId, entityPath })).map((id) => ids.indexOf(id))).toEqual(expected);
    });
  });

  describe('pages', () => {
    test('say exactly whether there are more changes', async () => {
      const userId = newUser();
      const ids = await write(Array.from({ length: 3 }, () => ({ userId })));
      for (const [pageSize, skip, length, hasMore] of [
        [1, 0, 1, true],
        [2, 0, 2, true],
        [3, 0, 3, false],
        [4, 0, 3, false],
        [1, 2, 1, false],
        [1, 3, 0, false],
        [1, 2147483647, 0, false],
      ] as const) {
        for (const withTotalResultSize of [false, true]) {
          const page = await read({ userId, pageSize, skip, withTotalResultSize });
          expect([page.data.length, page.hasMore, page.totalResultSize]).toEqual([
            length,
            hasMore,
            withTotalResultSize ? 3 : undefined,
          ]);
          expect(idsOf(page)).toEqual(ids.slice(skip, skip + pageSize));
        }
      }
    });

    test('are empty if no change matches', async () => {
      const page = await read({ userId: newUser(), withTotalResultSize: true });
      expect(page).toEqual({ totalResultSize: 0, hasMore: false, data: [] });
    });

    test('neither repeat nor skip changes while others are added, even at the same time', async () => {
      const userId = newUser();
      const ids = await write(Array.from({ length: 20 }, () => ({ userId })));
      const seen: number[] = [];
      for (let skip = 0; ; skip += 3) {
        const page = await read({ userId, pageSize: 3, skip });
        seen.push(...idsOf(page));
        if (!page.hasMore) {
          break;
        }
        if (skip < 15) {
          ids.push(...(await write([{ userId, created: NOW + skip }])));
        }
      }
      expect(seen).toEqual(ids);
    });

    test('in descending order neither repeat nor skip changes if createdBefore is fixed', async () => {
      const userId = newUser();
      const ids = await write(Array.from({ length: 10 }, (_, i) => ({ userId, created: NOW + i })));
      const seen: number[] = [];
      for (let skip = 0; skip < 10; skip += 3) {
        const page = await read({ userId, pageSize: 3, skip, sort: '-created', createdBefore: at(10) });
        seen.push(...idsOf(page));
        await write([{ userId, created: NOW + 10 + skip }]);
      }
      expect(seen).toEqual(ids.toReversed());
    });
  });

  test.each([
    'sort=id',
    'sort=entity',
    'sort=',
    'pageSize=0',
    'pageSize=1001',
    'pageSize=',
    'skip=-1',
    'skip=2147483648',
    'applicationId=0',
    'applicationId=x',
    'applicationId=1.5',
    'applicationId=2147483648',
    'applicationId=1&applicationId=2',
    'userId=-1',
    'userId=null',
    'managementKeyId=99999999999999999999',
    'entityPath=',
    `entityPath=${'x'.repeat(513)}`,
    'entityPath=%00',
    'entityPath=a&entityPath=b',
    'createdBefore=2026-11-23',
    'createdAfter=yesterday',
    'createdAfter=2026-11-23T12:00:00',
    'withTotalResultSize=1',
    'withTotalResultSize=',
    'includeOld=no',
    'includeOld=true&includeOld=false',
    'colour=red',
  ])('the query %s is refused, and the parameter is named', async (query) => {
    const answer = await admin.get<ProblemBody>(`/v1/changes?${query}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'validation-failed']);
    expect(answer.body.errors?.map(({ parameter }) => parameter)).toContain(query.split('=')[0]);
  });
});
