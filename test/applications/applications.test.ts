import { default as TalonOne } from 'talon_one';
import type { ProblemBody } from '../support/client.js';
import { createApplication, createKey } from '../support/fixtures.js';
import { type Application, SHOP, startForApplications } from './application-fixtures.js';

const { latchkey, user, create, update, list } = await startForApplications();
afterAll(() => latchkey.close());

describe('Applications', () => {
  describe('a creation', () => {
    test('returns the Application, which every signed-in user can read and the list contains', async () => {
      const answer = await create({
        name: '  Web shop Ä ',
        description: 'Sells\nthings',
        timezone: 'Asia/Kolkata',
        currency: 'INR',
        attributes: { nested: { list: [1, 'two', null, { three: 3.5 }] }, then: 'x', toString: 'y', '': 0 },
      });
      expect(answer.status).toBe(201);
      expect(answer.body).toEqual({
        id: expect.any(Number),
        created: '2026-11-23T12:00:00.000Z',
        modified: '2026-11-23T12:00:00.000Z',
        accountId: 1,
        name: 'Web shop Ä',
        description: 'Sells\nthings',
        timezone: 'Asia/Kolkata',
        currency: 'INR',
        attributes: { nested: { list: [1, 'two', null, { three: 3.5 }] }, then: 'x', toString: 'y', '': 0 },
        loyaltyPrograms: [],
      });
      expect((await user.get(`/v1/applications/${answer.body.id}`)).body).toEqual(answer.body);
      expect((await list('?pageSize=1000')).data).toContainEqual(answer.body);
    });

    test('returns an Application that the public SDK can parse, with its dates and lists', async () => {
      const { body } = await create({ ...SHOP, name: 'For the SDK' });
      const model = TalonOne.Application.constructFromObject(body, undefined);
      expect(model.created.getTime()).toBe(latchkey.clock.now());
      expect(model.modified.getTime()).toBe(latchkey.clock.now());
      expect(model).toMatchObject({ accountId: 1, name: 'For the SDK', attributes: {}, loyaltyPrograms: [] });
    });

    test('leaves omitted fields empty', async () => {
      const { body } = await create({ ...SHOP, name: 'Bare' });
      expect(body).toMatchObject({ description: '', attributes: {} });
    });

    test('is refused for keys and for users who are no admins, as are updates and deletions', async () => {
      const id = await createApplication(latchkey.admin);
      const key = await createKey(latchkey.admin, {
        endpoints: [{ method: 'GET', path: '/v1/applications' }],
      });
      for (const caller of [user, latchkey.as(`ManagementKey-v1 ${key.key}`)]) {
        for (const answer of [
          await caller.post<ProblemBody>('/v1/applications', { ...SHOP, name: 'Mine' }),
          await caller.put<ProblemBody>(`/v1/applications/${id}`, { name: 'Mine' }),
          await caller.delete<ProblemBody>(`/v1/applications/${id}`),
        ]) {
          expect(answer.status).toBe(403);
        }
      }
      expect((await latchkey.admin.get(`/v1/applications/${id}`)).status).toBe(200);
    });
  });

  describe('names', () => {
    test.each([
      ['the same name', 'Name A', 'Name A'],
      ['a name that differs only in case', 'Name B', 'nAME b'],
      ['a name that differs only in the case of non-ASCII letters', 'ÄÖÜ Σ', 'äöü σ'],
      ['a name that differs only in surrounding spaces', 'Name C', ' Name C\t'],
      ['a name that differs only in ligatures', 'Name ﬁ', 'name FI'],
      ['a name that differs only in how its accents are composed', 'Caf\u00e9', 'Cafe\u0301'],
    ])('a second Application cannot have %s', async (_what, first, second) => {
      expect((await create({ ...SHOP, name: first })).status).toBe(201);
      const refused = await create({ ...SHOP, name: second });
      expect([refused.status, refused.body.code]).toEqual([409, 'application-name-taken']);
    });

    test.each([
      ['accents', 'Resume', 'Résumé'],
      ['inner spaces', 'In ner', 'In  ner'],
      ['a wildcard character', 'Wild_card', 'Wild%card'],
    ])('names that differ in %s are different names', async (_what, first, second) => {
      expect((await create({ ...SHOP, name: first })).status).toBe(201);
      expect((await create({ ...SHOP, name: second })).status).toBe(201);
    });

    test('exactly one of ten concurrent creations with the same name succeeds', async () => {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) => create({ ...SHOP, name: i % 2 ? 'RACE' : 'race' })),
      );
      expect(answers.map((answer) => answer.status).sort()).toEqual([201, ...Array<number>(9).fill(409)]);
      expect((await list('?pageSize=1000')).data.filter(({ name }) => name.toLowerCase() === 'race')).toHaveLength(1);
    });

    test('an Application may change the case of its own name, and cannot take the name of another', async () => {
      const id = await createApplication(latchkey.admin, 'Lower');
      await createApplication(latchkey.admin, 'Taken');
      expect((await update(id, { name: 'LOWER' })).body.name).toBe('LOWER');
      const refused = await update(id, { name: 'tAKEN' });
      expect([refused.status, refused.body.code]).toEqual([409, 'application-name-taken']);
      expect((await latchkey.admin.get<Application>(`/v1/applications/${id}`)).body.name).toBe('LOWER');
    });

    test('the name of a deleted Application can be used again, but its id is never reused', async () => {
      const id = await createApplication(latchkey.admin, 'Phoenix');
      expect((await latchkey.admin.delete(`/v1/applications/${id}`)).status).toBe(204);
      expect(await createApplication(latchkey.admin, 'Phoenix')).toBeGreaterThan(id);
    });

    test('a name may have 100 characters, but fewer of those that expand when case is ignored', async () => {
      expect((await create({ ...SHOP, name: '😀'.repeat(100) })).body.name).toBe('😀'.repeat(100));
      expect((await create({ ...SHOP, name: 'x'.repeat(101) })).status).toBe(400);
      const refused = await create({ ...SHOP, name: '\ufdfa'.repeat(100) });
      expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([400, '/name']);
    });
  });

  describe('time zones and currencies', () => {
    test.each([
      ['Europe/Berlin', 'Europe/Berlin'],
      ['europe/berlin', 'Europe/Berlin'],
      ['UTC', 'UTC'],
      ['Etc/UTC', 'Etc/UTC'],
      ['US/Pacific', 'US/Pacific'],
      ['America/Argentina/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
      ['Etc/GMT+5', 'Etc/GMT+5'],
    ])('the time zone %s is stored as %s', async (given, kept) => {
      const answer = await create({
        ...SHOP,
        name: `${given === kept ? 'Zone' : 'Other zone'} ${given}`,
        timezone: given,
      });
      expect([answer.status, answer.body.timezone]).toEqual([201, kept]);
    });

    test.each(['', 'Europe', 'Europe/Nowhere', '+02:00', '-05', 'Berlin', ' UTC', 'UTC\n', 'x'.repeat(70), 2, null])(
      'the time zone %j is refused',
      async (timezone) => {
        const answer = await create({ ...SHOP, name: 'Zoneless', timezone });
        expect([answer.status, answer.body.code, answer.body.errors?.[0]?.pointer]).toEqual([
          400,
          'validation-failed',
          '/timezone',
        ]);
      },
    );

    test.each(['eur', 'EURO', '', 'ZZZ', 'EU', 978, null, ['EUR']])('the currency %j is refused', async (currency) => {
      const answer = await create({ ...SHOP, name: 'Moneyless', currency });
      expect([answer.status, answer.body.code, answer.body.errors?.[0]?.pointer]).toEqual([
        400,
        'validation-failed',
        '/currency',
      ]);
    });
  });

  describe('bad input', () => {
    test.each<[string, unknown, string]>([
      ['no name', { ...SHOP, name: undefined }, '/name'],
      ['an empty name', { ...SHOP, name: ' \t ' }, '/name'],
      ['a name that is a number', { ...SHOP, name: 7 }, '/name'],
      ['a name of two lines', { ...SHOP, name: 'two\nlines' }, '/name'],
      ['a name with NUL', { ...SHOP, name: 'a\0b' }, '/name'],
      ['a name with a lone surrogate', { ...SHOP, name: 'a\ud800b' }, '/name'],
      ['a description that is null', { ...SHOP, description: null }, '/description'],
      ['a description with a lone surrogate', { ...SHOP, description: '\udc00' }, '/description'],
      ['a description that is too long', { ...SHOP, description: 'x'.repeat(10_001) }, '/description'],
      ['attributes that are a list', { ...SHOP, attributes: [] }, '/attributes'],
      ['attributes that are text', { ...SHOP, attributes: '{}' }, '/attributes'],
      ['attributes that are null', { ...SHOP, attributes: null }, '/attributes'],
      ['attributes with NUL deep inside', { ...SHOP, attributes: { a: [{ b: '\0' }] } }, '/attributes/a/0/b'],
      ['an unknown field', { ...SHOP, color: 'red' }, '/color'],
      ['an id', { ...SHOP, id: 7 }, '/id'],
      ['an account', { ...SHOP, accountId: 1 }, '/accountId'],
    ])('%s is refused, and the error points to it', async (_what, body, pointer) => {
      const before = (await list()).totalResultSize;
      const answer = await create(body as object);
      expect([answer.status, answer.body.code]).toEqual([400, 'validation-failed']);
      expect(answer.body.errors?.map((fault) => fault.pointer)).toContain(pointer);
      expect((await list()).totalResultSize).toBe(before);
    });

    test('a number that is too large for JavaScript is refused', async () => {
      const body = '{"name":"Big","timezone":"UTC","currency":"EUR","attributes":{"n":1e999}}';
      const answer = await latchkey.admin.post<ProblemBody>('/v1/applications', body, {
        'content-type': 'application/json',
      });
      expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, '/attributes/n']);
    });

    test.each(['0', '-1', '01', '1.0', 'x', '2147483648', '99999999999999999999', '%201', '1%00'])(
      'the id %s is malformed',
      async (id) => {
        for (const method of ['GET', 'PUT', 'DELETE']) {
          const answer = await latchkey.admin.send<ProblemBody>(
            method,
            `/v1/applications/${id}`,
            method === 'PUT' ? {} : undefined,
          );
          expect([method, answer.status, answer.body.code]).toEqual([method, 400, 'id-malformed']);
        }
      },
    );

    test('an id that does not exist is not found', async () => {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const answer = await latchkey.admin.send<ProblemBody>(
          method,
          '/v1/applications/2147483647',
          method === 'PUT' ? {} : undefined,
        );
        expect([method, answer.status, answer.body.code]).toEqual([method, 404, 'application-not-found']);
      }
    });

    test.each(['pageSize=0', 'pageSize=1001', 'pageSize=x', 'skip=-1', 'skip=1&skip=2', 'sort=color', 'sort=', 'q=1'])(
      'the query %s is refused',
      async (query) => {
        const answer = await latchkey.admin.get<ProblemBody>(`/v1/applications?${query}`);
        expect([answer.status, answer.body.code]).toEqual([400, 'validation-failed']);
      },
    );
  });

  describe('the list', () => {
    test('is sorted by the requested field, and by id among equal values', async () => {
      latchkey.clock.advance(1000);
      const b = await createApplication(latchkey.admin, 'sorted b');
      const c = await createApplication(latchkey.admin, 'SORTED C');
      const a = await createApplication(latchkey.admin, 'Sorted A');
      const order = async (sort: string): Promise<number[]> =>
        (await list(`?sort=${sort}&pageSize=1000`)).data.map(({ id }) => id).filter((id) => [a, b, c].includes(id));
      expect(await order('id')).toEqual([b, c, a]);
      expect(await order('-id')).toEqual([a, c, b]);
      expect(await order('name')).toEqual([a, b, c]);
      expect(await order('-name')).toEqual([c, b, a]);
      expect(await order('created')).toEqual([b, c, a]);
      expect(await order('-created')).toEqual([a, c, b]);
      latchkey.clock.advance(1000);
      await update(b, { description: 'changed' });
      expect(await order('modified')).toEqual([c, a, b]);
    });

    test('is paged without repeating or skipping Applications while others are created', async () => {
      const ids = (await list('?pageSize=1000')).data.map(({ id }) => id);
      const seen: number[] = [];
      for (let skip = 0; ; skip += 7) {
        const { data } = await list(`?pageSize=7&skip=${skip}`);
        seen.push(...data.map(({ id }) => id));
        if (data.length < 7) {
          break;
        }
        if (skip < 21) {
          ids.push(await createApplication(latchkey.admin));
        }
      }
      expect(seen).toEqual(ids);
    });

    test('has the total of all pages, even beyond the last one', async () => {
      const { totalResultSize } = await list();
      expect(await list(`?skip=${totalResultSize}`)).toEqual({ totalResultSize, data: [] });
      expect((await list(`?skip=${totalResultSize - 1}`)).data).toHaveLength(1);
      expect(await list('?skip=2147483647')).toEqual({ totalResultSize, data: [] });
    });
  });
});
