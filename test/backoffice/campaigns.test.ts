import { default as TalonOne } from 'talon_one';
import type { Answer, Client, ProblemBody } from '../support/client.js';
import { createApplication, createKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

interface Campaign extends Record<string, unknown> {
  id: number;
  name: string;
  frontendState: string;
}
interface Change {
  entity: string;
  userId: number;
  managementKeyId?: number;
  applicationId?: number;
  old: unknown;
  new: unknown;
}

const CAMPAIGN = '/v1/applications/{applicationId}/campaigns/{campaignId}';

describe('a campaign', () => {
  let latchkey: Latchkey;
  let user: Client;
  let applicationId: number;
  let otherId: number;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    const password = 'just a user of this';
    await latchkey.admin.post('/v1/users', { name: 'Una', email: 'una@example.com', password, isAdmin: false });
    user = await latchkey.signIn('una@example.com', password);
    applicationId = await createApplication(latchkey.admin);
    otherId = await createApplication(latchkey.admin);
  });
  afterAll(() => latchkey.close());

  const path = (id?: number): string =>
    `/v1/applications/${applicationId}/campaigns${id === undefined ? '' : `/${id}`}`;
  const create = (body: object, by: Client = user): Promise<Answer<Campaign & ProblemBody>> =>
    by.post<Campaign & ProblemBody>(path(), body);
  const update = (id: number, body: object, by: Client = user): Promise<Answer<Campaign & ProblemBody>> =>
    by.put<Campaign & ProblemBody>(path(id), body);
  const get = async (id: number): Promise<Campaign> => (await user.get<Campaign>(path(id))).body;
  const changes = async (): Promise<Change[]> =>
    (await latchkey.admin.get<{ data: Change[] }>(`/v1/changes?applicationId=${applicationId}&pageSize=1000`)).body
      .data;

  const FULL = {
    name: 'Summer sale',
    description: '10 % off\neverything',
    startTime: '2027-06-01T00:00:00+02:00',
    endTime: '2027-07-01T00:00:00.123456Z',
    attributes: { channel: ['newsletter'], deep: { er: null } },
    state: 'disabled',
    tags: ['Summer', 'Größe, "quoted"'],
    reevaluateOnReturn: true,
    features: ['coupons', 'achievements'],
    limits: [
      { action: 'redeemCoupon', limit: 1000, entities: [] },
      { action: 'setDiscount', limit: 99.5, period: 'monthly', entities: ['Profile', 'Coupon'] },
    ],
    campaignGroups: [],
    linkedStoreIds: [],
    type: 'advanced',
  };

  describe('at its creation', () => {
    test('is returned as it was created, to each signed-in user', async () => {
      const answer = await create(FULL);
      expect(answer.status).toBe(201);
      expect(answer.body).toEqual({
        ...FULL,
        id: expect.any(Number),
        created: '2026-11-23T12:00:00.000Z',
        updated: '2026-11-23T12:00:00.000Z',
        applicationId,
        userId: 2,
        createdBy: '2',
        updatedBy: '2',
        startTime: '2027-05-31T22:00:00.000Z',
        endTime: '2027-07-01T00:00:00.123Z',
        budgets: [],
        frontendState: 'disabled',
        storesImported: false,
      });
      expect(await get(answer.body.id)).toEqual(answer.body);
    });

    test('gets empty values for omitted fields, and is running', async () => {
      const { body } = await create({ name: ' Bare ' });
      expect(body).toMatchObject({
        name: 'Bare',
        description: '',
        startTime: null,
        endTime: null,
        attributes: {},
        state: 'enabled',
        tags: [],
        features: [],
        limits: [],
        reevaluateOnReturn: false,
        frontendState: 'running',
      });
    });

    test('can be read by the models of the public SDK, including every list and date', async () => {
      const { body } = await create(FULL);
      const model = TalonOne.Campaign.constructFromObject(body, undefined);
      expect(model.created.getTime()).toBe(latchkey.clock.now());
      expect(model.updated.getTime()).toBe(latchkey.clock.now());
      expect(model.startTime.toISOString()).toBe('2027-05-31T22:00:00.000Z');
      expect(model.endTime.toISOString()).toBe('2027-07-01T00:00:00.123Z');
      expect(model.limits[1]).toBeInstanceOf(TalonOne.LimitConfig);
      expect(model).toMatchObject({ userId: 2, createdBy: '2', tags: FULL.tags, campaignGroups: [] });
      const bare = TalonOne.Campaign.constructFromObject((await create({ name: 'Bare' })).body, undefined);
      expect([bare.startTime, bare.endTime, bare.tags, bare.features, bare.limits]).toEqual([null, null, [], [], []]);
    });

    test('is refused in an Application that does not exist', async () => {
      const answer = await user.post<ProblemBody>('/v1/applications/2147483647/campaigns', { name: 'Nowhere' });
      expect([answer.status, answer.body.code]).toEqual([404, 'application-not-found']);
    });

    test('may have the name of another campaign', async () => {
      const [first, second] = [await create({ name: 'Twin' }), await create({ name: 'Twin' })];
      expect([first.status, second.status]).toEqual([201, 201]);
    });
  });

  describe('at an update', () => {
    test('keeps the values of omitted fields', async () => {
      const { body: created } = await create(FULL);
      latchkey.clock.advance(1000);
      const answer = await update(created.id, { name: 'Renamed', state: 'archived' }, latchkey.admin);
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        ...created,
        name: 'Renamed',
        state: 'archived',
        frontendState: 'archived',
        updated: new Date(latchkey.clock.now()).toISOString(),
        updatedBy: '1',
      });
      expect(await get(created.id)).toEqual(answer.body);
    });

    test('is not written, and gets no entry in the audit log, if nothing changes', async () => {
      const { body: created } = await create(FULL);
      latchkey.clock.advance(1000);
      for (const body of [{ name: FULL.name }, FULL]) {
        const answer = await update(created.id, body, latchkey.admin);
        expect([answer.status, answer.body]).toEqual([200, created]);
      }
      expect(await get(created.id)).toEqual(created);
      expect((await changes()).at(-1)).toMatchObject({ entity: `POST ${path()}`, new: created });
    });

    test('accepts empty values, and null to remove a time', async () => {
      const { body: created } = await create({ ...FULL, state: 'enabled' });
      const { body } = await update(created.id, {
        name: 'Emptied',
        description: '',
        startTime: null,
        endTime: null,
        attributes: {},
        tags: [],
        features: [],
        limits: [],
        reevaluateOnReturn: false,
      });
      expect(body).toMatchObject({
        description: '',
        startTime: null,
        endTime: null,
        attributes: {},
        tags: [],
        features: [],
        limits: [],
        reevaluateOnReturn: false,
        frontendState: 'running',
      });
    });

    test('accepts the update that the public SDK builds from a campaign that it read', async () => {
      const { body: created } = await create(FULL);
      const sent: unknown = JSON.parse(JSON.stringify(TalonOne.UpdateCampaign.constructFromObject(created, undefined)));
      expect((await update(created.id, sent as object)).body).toMatchObject({
        ...created,
        updated: expect.any(String),
      });
    });

    test('refuses an end before the start, even if only one of them is given', async () => {
      const { body: created } = await create({
        name: 'Timed',
        startTime: '2027-01-02T00:00:00Z',
        endTime: '2027-01-03T00:00:00Z',
      });
      for (const times of [
        { endTime: '2027-01-02T00:00:00Z' },
        { endTime: '2027-01-01T23:59:59.999Z' },
        { startTime: '2027-01-03T00:00:00Z' },
        { startTime: '2027-01-03T00:00:00+00:00', endTime: '2027-01-03T01:00:00+02:00' },
      ]) {
        const answer = await update(created.id, { name: 'Timed', ...times });
        expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, '/endTime']);
      }
      expect(await get(created.id)).toEqual(created);
      expect((await update(created.id, { name: 'Timed', endTime: '2027-01-02T00:00:00.001Z' })).status).toBe(200);
    });
  });

  describe('used by a key', () => {
    test('is created, read, updated and deleted on the authority of the creator of the key', async () => {
      const key = await createKey(latchkey.admin, {
        allowedApplicationIds: [applicationId],
        endpoints: [
          { method: 'POST', path: '/v1/applications/{applicationId}/campaigns' },
          { method: 'GET', path: CAMPAIGN },
          { method: 'PUT', path: CAMPAIGN },
          { method: 'DELETE', path: CAMPAIGN },
        ],
      });
      const caller = latchkey.as(`ManagementKey-v1 ${key.key}`);
      const { status, body } = await create({ name: 'By a key' }, caller);
      expect([status, body.userId, body.createdBy]).toEqual([201, 1, '1']);
      expect((await caller.get(path(body.id))).status).toBe(200);
      expect((await update(body.id, { name: 'By a key still' }, caller)).status).toBe(200);
      expect((await caller.delete(path(body.id))).status).toBe(204);
      expect((await changes()).slice(-3)).toEqual(
        [`POST ${path()}`, `PUT ${path(body.id)}`, `DELETE ${path(body.id)}`].map((entity): unknown =>
          expect.objectContaining({ entity, userId: 1, managementKeyId: key.id, applicationId }),
        ),
      );
    });

    test('is refused in another Application, whether or not the campaign exists there', async () => {
      const key = await createKey(latchkey.admin, {
        allowedApplicationIds: [applicationId],
        endpoints: [{ method: 'GET', path: CAMPAIGN }],
      });
      const { body } = await create({ name: 'Mine' });
      for (const id of [body.id, 2147483647]) {
        const answer = await latchkey
          .as(`ManagementKey-v1 ${key.key}`)
          .get<ProblemBody>(`/v1/applications/${otherId}/campaigns/${id}`);
        expect([answer.status, answer.body.code]).toEqual([403, 'application-not-allowed']);
      }
    });
  });

  test('is found only in its own Application', async () => {
    const { body } = await create({ name: 'At home' });
    for (const application of [otherId, 2147483647]) {
      const elsewhere = `/v1/applications/${application}/campaigns/${body.id}`;
      for (const answer of [
        await user.get<ProblemBody>(elsewhere),
        await user.put<ProblemBody>(elsewhere, { name: 'Stolen' }),
        await user.delete<ProblemBody>(elsewhere),
      ]) {
        expect([answer.status, answer.body.code]).toEqual([404, 'campaign-not-found']);
      }
    }
    expect(await get(body.id)).toEqual(body);
  });

  describe('with invalid input', () => {
    const OK = { name: 'OK' };
    test.each<[string, object, string]>([
      ['no name', {}, '/name'],
      ['an empty name', { name: ' ' }, '/name'],
      ['a name that is null', { name: null }, '/name'],
      ['a name that is an object', { name: {} }, '/name'],
      ['a name that is too long', { name: 'x'.repeat(256) }, '/name'],
      ['a name of two lines', { name: 'a\r\nb' }, '/name'],
      ['a name that expands when it is normalised', { name: '\ufdfa'.repeat(255) }, '/name'],
      ['a NUL', { ...OK, description: 'a\0' }, '/description'],
      ['half a surrogate pair', { ...OK, tags: ['\ud83d'] }, '/tags/0'],
      ['a date instead of a time', { ...OK, startTime: '2027-01-01' }, '/startTime'],
      ['a time without an offset', { ...OK, startTime: '2027-01-01T00:00:00' }, '/startTime'],
      ['a day that does not exist', { ...OK, endTime: '2027-02-29T00:00:00Z' }, '/endTime'],
      ['an hour that does not exist', { ...OK, endTime: '2027-02-28T24:00:00Z' }, '/endTime'],
      ['an offset that does not exist', { ...OK, endTime: '2027-02-28T00:00:00+24:00' }, '/endTime'],
      ['a time before year 0', { ...OK, startTime: '0000-01-01T00:00:00+01:00' }, '/startTime'],
      ['a number instead of a time', { ...OK, startTime: 1 }, '/startTime'],
      ['an empty time', { ...OK, endTime: '' }, '/endTime'],
      [
        'a start equal to the end',
        { ...OK, startTime: '2027-01-01T00:00:00Z', endTime: '2027-01-01T00:00:00Z' },
        '/endTime',
      ],
      ['attributes that are a list', { ...OK, attributes: [1] }, '/attributes'],
      ['an unknown state', { ...OK, state: 'running' }, '/state'],
      ['a state that is null', { ...OK, state: null }, '/state'],
      ['tags that are text', { ...OK, tags: 'a' }, '/tags'],
      ['a tag that is a number', { ...OK, tags: ['a', 1] }, '/tags/1'],
      ['an empty tag', { ...OK, tags: [''] }, '/tags/0'],
      ['a tag of two lines', { ...OK, tags: ['a\nb'] }, '/tags/0'],
      ['a tag that is too long', { ...OK, tags: ['x'.repeat(51)] }, '/tags/0'],
      ['a duplicate tag', { ...OK, tags: ['a', 'a'] }, '/tags'],
      ['too many tags', { ...OK, tags: Array.from({ length: 51 }, (_, i) => `t${i}`) }, '/tags'],
      ['an unknown feature', { ...OK, features: ['magic'] }, '/features/0'],
      ['a limit that is not an object', { ...OK, limits: [1] }, '/limits/0'],
      ['a list in the list of limits', { ...OK, limits: [[{ action: 'a', limit: 1, entities: [] }]] }, '/limits/0'],
      ['a limit without an action', { ...OK, limits: [{ limit: 1, entities: [] }] }, '/limits/0/action'],
      ['a limit below zero', { ...OK, limits: [{ action: 'a', limit: -1, entities: [] }] }, '/limits/0/limit'],
      ['a limit that is text', { ...OK, limits: [{ action: 'a', limit: '1', entities: [] }] }, '/limits/0/limit'],
      [
        'an unknown period',
        { ...OK, limits: [{ action: 'a', limit: 1, entities: [], period: 'x' }] },
        '/limits/0/period',
      ],
      [
        'a limit for an unknown entity',
        { ...OK, limits: [{ action: 'a', limit: 1, entities: ['X'] }] },
        '/limits/0/entities/0',
      ],
      [
        'an unknown field in a limit',
        { ...OK, limits: [{ action: 'a', limit: 1, entities: [], x: 1 }] },
        '/limits/0/x',
      ],
      ['groups', { ...OK, campaignGroups: [1] }, '/campaignGroups'],
      ['stores', { ...OK, linkedStoreIds: [1] }, '/linkedStoreIds'],
      ['a ruleset', { ...OK, activeRulesetId: 1 }, '/activeRulesetId'],
      ['settings of codes', { ...OK, couponSettings: { couponPattern: '#' } }, '/couponSettings'],
      ['settings of referrals', { ...OK, referralSettings: { couponPattern: '#' } }, '/referralSettings'],
      ['another type', { ...OK, type: 'cartItem' }, '/type'],
      ['an unknown field', { ...OK, colour: 'red' }, '/colour'],
      ['a field that only responses have', { ...OK, frontendState: 'running' }, '/frontendState'],
      ['another Application', { ...OK, applicationId: 1 }, '/applicationId'],
    ])('is neither created nor updated: %s', async (_what, body, pointer) => {
      const { body: existing } = await create({ name: 'Untouched' });
      const count = async (): Promise<number> =>
        (await user.get<{ totalResultSize: number }>(path())).body.totalResultSize;
      const before = await count();
      for (const answer of [await create(body), await update(existing.id, body)]) {
        expect([answer.status, answer.body.code]).toEqual([400, 'validation-failed']);
        expect(answer.body.errors?.map((fault) => fault.pointer)).toContain(pointer);
      }
      expect(await count()).toBe(before);
      expect(await get(existing.id)).toEqual(existing);
    });

    test.each(['0', '-1', '01', 'x', '2147483648', '1e1', '%00'])('is refused by the malformed id %s', async (id) => {
      for (const answer of [
        await user.get<ProblemBody>(`/v1/applications/${applicationId}/campaigns/${id}`),
        await user.get<ProblemBody>(`/v1/applications/${id}/campaigns/1`),
        await user.put<ProblemBody>(`/v1/applications/${applicationId}/campaigns/${id}`, OK),
        await user.delete<ProblemBody>(`/v1/applications/${applicationId}/campaigns/${id}`),
      ]) {
        expect([answer.status, answer.body.code]).toEqual([400, 'id-malformed']);
      }
    });
  });

  test('has each change in the audit log, with its old and new values', async () => {
    const { body: created } = await create(FULL);
    const { body: changed } = await update(created.id, { name: 'Changed' }, latchkey.admin);
    await latchkey.admin.delete(path(created.id));
    expect((await changes()).slice(-3)).toEqual([
      expect.objectContaining({ entity: `POST ${path()}`, userId: 2, applicationId, old: null, new: created }),
      expect.objectContaining({
        entity: `PUT ${path(created.id)}`,
        userId: 1,
        applicationId,
        old: created,
        new: changed,
      }),
      expect.objectContaining({
        entity: `DELETE ${path(created.id)}`,
        userId: 1,
        applicationId,
        old: { ...changed, coupons: 0 },
        new: null,
      }),
    ]);
  });

  test('loses none of several concurrent updates: each one builds on the one before', async () => {
    const { body: created } = await create({ name: 'Contended' });
    const parts = [{ description: 'd' }, { tags: ['t'] }, { features: ['coupons'] }, { attributes: { a: 1 } }];
    const answers = await Promise.all(parts.map((part) => update(created.id, { name: 'Contended', ...part })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await get(created.id)).toMatchObject(Object.assign({}, ...parts) as object);
    const trail = (await changes()).filter(({ entity }) => entity === `PUT ${path(created.id)}`);
    trail.slice(1).forEach((change, place) => expect(change.old).toEqual(trail[place]!.new));
  });
});
