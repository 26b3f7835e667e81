import type { Client, ProblemBody } from '../support/client.js';
import { createApplication } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

interface Campaign {
  id: number;
  name: string;
  frontendState: string;
}
interface Campaigns {
  totalResultSize: number;
  data: Campaign[];
}

const NOW = Date.parse('2026-11-23T12:00:00.000Z');
const at = (offset: number): string => new Date(NOW + offset).toISOString();

describe('the list of campaigns', () => {
  let latchkey: Latchkey;
  let admin: Client;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    ({ admin } = latchkey);
  });
  afterAll(() => latchkey.close());

  const create = async (applicationId: number, body: object): Promise<number> => {
    const answer = await admin.post<{ id: number }>(`/v1/applications/${applicationId}/campaigns`, body);
    expect(answer.status).toBe(201);
    return answer.body.id;
  };
  const list = async (applicationId: number, query: Record<string, string | number> = {}): Promise<Campaigns> => {
    const parameters = new URLSearchParams(query as Record<string, string>);
    const answer = await admin.get<Campaigns>(`/v1/applications/${applicationId}/campaigns?${parameters}`);
    expect(answer.status).toBe(200);
    return answer.body;
  };
  const names = async (applicationId: number, query: Record<string, string | number>): Promise<string[]> => {
    const { data, totalResultSize } = await list(applicationId, query);
    expect(totalResultSize).toBe(data.length);
    return data.map(({ name }) => name);
  };

  test('has only the campaigns of one Application', async () => {
    const [one, two, empty] = [
      await createApplication(admin),
      await createApplication(admin),
      await createApplication(admin),
    ];
    const first = await create(one, { name: 'One' });
    const second = await create(two, { name: 'Two' });
    expect((await list(one)).data.map(({ id }) => id)).toEqual([first]);
    expect((await list(two)).data.map(({ id }) => id)).toEqual([second]);
    expect(await list(empty)).toEqual({ totalResultSize: 0, data: [] });
    const answer = await admin.get<ProblemBody>('/v1/applications/2147483647/campaigns');
    expect([answer.status, answer.body.code]).toEqual([404, 'application-not-found']);
  });

  describe('filtered by state', () => {
    let applicationId: number;
    beforeAll(async () => {
      applicationId = await createApplication(admin);
      for (const body of [
        { name: 'always' },
        { name: 'begins now', startTime: at(0) },
        { name: 'begins in a millisecond', startTime: at(1) },
        { name: 'ended now', endTime: at(0) },
        { name: 'ends in a millisecond', endTime: at(1) },
        { name: 'within', startTime: at(-1), endTime: at(1) },
        { name: 'over', startTime: at(-2), endTime: at(-1) },
        { name: 'off', state: 'disabled' },
        { name: 'off and over', state: 'disabled', endTime: at(-1) },
        { name: 'put away', state: 'archived', startTime: at(1) },
      ]) {
        await create(applicationId, body);
      }
    });

    const RUNNING = ['always', 'begins now', 'ends in a millisecond', 'within'];
    test.each([
      ['running', RUNNING],
      ['scheduled', ['begins in a millisecond']],
      ['expired', ['ended now', 'over']],
      ['disabled', ['off', 'off and over']],
      ['archived', ['put away']],
      ['draft', []],
    ])('%s: has exactly the campaigns that are shown with this state', async (campaignState, expected) => {
      expect(await names(applicationId, { campaignState })).toEqual(expected);
      const { data } = await list(applicationId, { pageSize: 1000 });
      expect(data.filter(({ frontendState }) => frontendState === campaignState).map(({ name }) => name)).toEqual(
        expected,
      );
    });

    test('enabled: has those that are running, scheduled or expired', async () => {
      expect((await names(applicationId, { campaignState: 'enabled' })).sort()).toEqual(
        [...RUNNING, 'begins in a millisecond', 'ended now', 'over'].sort(),
      );
    });

    test('pages and counts only the campaigns that match', async () => {
      const pages = [0, 1, 2, 3, 4].map((skip) => list(applicationId, { campaignState: 'running', pageSize: 1, skip }));
      const answers = await Promise.all(pages);
      expect(answers.flatMap(({ data }) => data.map(({ name }) => name))).toEqual(RUNNING);
      expect(answers.map(({ totalResultSize }) => totalResultSize)).toEqual([4, 4, 4, 4, 4]);
    });

    test('changes with the time, to the millisecond', async () => {
      latchkey.clock.set(NOW + 1);
      expect(await names(applicationId, { campaignState: 'scheduled' })).toEqual([]);
      expect(await names(applicationId, { campaignState: 'running' })).toEqual([
        'always',
        'begins now',
        'begins in a millisecond',
      ]);
      latchkey.clock.set(NOW - 1);
      expect(await names(applicationId, { campaignState: 'expired' })).toEqual(['over']);
      latchkey.clock.set(NOW);
    });
  });

  describe('filtered by name and tags', () => {
    let applicationId: number;
    beforeAll(async () => {
      applicationId = await createApplication(admin);
      for (const body of [
        { name: 'Summer Sale', tags: ['Newsletter', 'DE'] },
        { name: 'winter sale', tags: ['summer'] },
        { name: '100% off_all!', tags: ['a_b', '50%', 'x!y'] },
        { name: 'Größe ÄÖÜ', tags: ['ÉTÉ'] },
        { name: 'Grosse AOU', tags: [] },
      ]) {
        await create(applicationId, body);
      }
    });

    test.each<[Record<string, string>, string[]]>([
      [{ name: 'sale' }, ['Summer Sale', 'winter sale']],
      [{ name: 'SUMMER' }, ['Summer Sale']],
      [{ name: ' ' }, ['Summer Sale', 'winter sale', '100% off_all!', 'Größe ÄÖÜ', 'Grosse AOU']],
      [{ name: 'sale ' }, []],
      [{ name: '%' }, ['100% off_all!']],
      [{ name: '_' }, ['100% off_all!']],
      [{ name: '!' }, ['100% off_all!']],
      [{ name: '\\' }, []],
      [{ name: 'größe äöü' }, ['Größe ÄÖÜ']],
      [{ name: 'Gro\u0308ße' }, ['Größe ÄÖÜ']],
      [{ name: 'nothing like it' }, []],
      [{ tags: 'news' }, ['Summer Sale']],
      [{ tags: 'NEWSLETTER' }, ['Summer Sale']],
      [{ tags: 'été' }, ['Größe ÄÖÜ']],
      [{ tags: 'ete' }, []],
      [{ tags: 'rde' }, []],
      [{ tags: '%' }, ['100% off_all!']],
      [{ tags: 'a_b' }, ['100% off_all!']],
      [{ tags: '!y' }, ['100% off_all!']],
      [{ tags: 'nothing like it' }, []],
      [{ name: 'summer', tags: 'summer' }, ['Summer Sale', 'winter sale']],
      [{ name: 'nothing', tags: 'summer' }, ['winter sale']],
      [{ name: 'summer', tags: 'nothing' }, ['Summer Sale']],
      [{ name: 'nothing', tags: 'nothing' }, []],
      [{ name: 'summer', tags: 'summer', campaignState: 'disabled' }, []],
    ])('%j: finds %j', async (query, expected) => {
      expect(await names(applicationId, query)).toEqual(expected);
    });

    test('uses the updated name and tags', async () => {
      const id = await create(applicationId, { name: 'Before', tags: ['before'] });
      await admin.put(`/v1/applications/${applicationId}/campaigns/${id}`, { name: 'After', tags: ['after'] });
      expect(await names(applicationId, { name: 'before', tags: 'before' })).toEqual([]);
      expect(await names(applicationId, { tags: 'AFTER' })).toEqual(['After']);
    });
  });

  describe('filtered by time', () => {
    let applicationId: number;
    beforeAll(async () => {
      applicationId = await createApplication(admin);
      for (const [name, offset] of [
        ['earlier', -1],
        ['then', 0],
        ['later', 1],
      ] as const) {
        latchkey.clock.set(NOW + offset);
        const long = 10 * 365 * 24 * 60 * 60 * 1000;
        await create(applicationId, { name, startTime: at(long + offset), endTime: at(2 * long + offset) });
      }
      latchkey.clock.set(NOW);
      await admin.put(`/v1/applications/${applicationId}/campaigns/${await create(applicationId, { name: 'x' })}`, {
        name: 'without times',
      });
    });

    const YEARS = 10 * 365 * 24 * 60 * 60 * 1000;
    test.each([
      ['start', YEARS],
      ['end', 2 * YEARS],
    ])('%sBefore and %sAfter omit the exact moment, and campaigns without that time', async (bound, offset) => {
      const of = (query: Record<string, number>): Promise<string[]> =>
        names(applicationId, Object.fromEntries(Object.entries(query).map(([name, time]) => [name, at(time)])));
      expect(await of({ [`${bound}Before`]: offset })).toEqual(['earlier']);
      expect(await of({ [`${bound}Before`]: offset + 1 })).toEqual(['earlier', 'then']);
      expect(await of({ [`${bound}Before`]: offset - 1 })).toEqual([]);
      expect(await of({ [`${bound}After`]: offset })).toEqual(['later']);
      expect(await of({ [`${bound}After`]: offset - 1 })).toEqual(['then', 'later']);
      expect(await of({ [`${bound}After`]: offset + 1 })).toEqual([]);
      expect(await of({ [`${bound}After`]: offset - 1, [`${bound}Before`]: offset + 1 })).toEqual(['then']);
      expect(await of({ [`${bound}After`]: offset, [`${bound}Before`]: offset })).toEqual([]);
    });

    test('createdBefore and createdAfter omit the exact moment', async () => {
      expect(await names(applicationId, { createdBefore: at(0) })).toEqual(['earlier']);
      expect(await names(applicationId, { createdBefore: at(1) })).toEqual(['earlier', 'then', 'without times']);
      expect(await names(applicationId, { createdAfter: at(0) })).toEqual(['later']);
      expect(await names(applicationId, { createdAfter: at(-1) })).toEqual(['then', 'later', 'without times']);
      expect(await names(applicationId, { createdAfter: at(1) })).toEqual([]);
      expect(await names(applicationId, { createdBefore: at(-1) })).toEqual([]);
    });

    test('converts times with an offset', async () => {
      expect(await names(applicationId, { createdAfter: '2026-11-23T14:00:00+02:00' })).toEqual(['later']);
      expect(await names(applicationId, { createdAfter: '2026-11-23T11:00:00-01:00' })).toEqual(['later']);
    });

    test('sorts by the requested field, and campaigns without a time come first', async () => {
      const sorted = async (sort: string): Promise<string[]> => names(applicationId, { sort });
      expect(await sorted('id')).toEqual(['earlier', 'then', 'later', 'without times']);
      expect(await sorted('-id')).toEqual(['without times', 'later', 'then', 'earlier']);
      expect(await sorted('created')).toEqual(['earlier', 'then', 'without times', 'later']);
      expect(await sorted('-created')).toEqual(['later', 'without times', 'then', 'earlier']);
      expect(await sorted('updated')).toEqual(['earlier', 'then', 'without times', 'later']);
      expect(await sorted('-updated')).toEqual(['later', 'without times', 'then', 'earlier']);
      expect(await sorted('name')).toEqual(['earlier', 'later', 'then', 'without times']);
      expect(await sorted('-name')).toEqual(['without times', 'then', 'later', 'earlier']);
      expect(await sorted('startTime')).toEqual(['without times', 'earlier', 'then', 'later']);
      expect(await sorted('-startTime')).toEqual(['later', 'then', 'earlier', 'without times']);
      expect(await sorted('endTime')).toEqual(['without times', 'earlier', 'then', 'later']);
      expect(await sorted('-endTime')).toEqual(['later', 'then', 'earlier', 'without times']);
    });
  });

  test('has the campaigns that match all filters at once', async () => {
    const applicationId = await createApplication(admin);
    const matching = {
      name: 'Wanted',
      tags: ['other'],
      startTime: '2027-06-01T00:00:00Z',
      endTime: '2027-08-01T00:00:00Z',
      state: 'enabled',
    };
    const createMatching = (body: object): Promise<number> => create(applicationId, { ...matching, ...body });
    await createMatching({});
    await createMatching({ name: 'by its tag', tags: ['wanted'] });
    await createMatching({ name: 'neither' });
    await createMatching({ state: 'disabled' });
    for (const time of ['2027-05-01T00:00:00Z', '2027-07-01T00:00:00Z']) {
      await createMatching({ startTime: time });
    }
    for (const time of ['2027-07-15T00:00:00Z', '2027-09-01T00:00:00Z']) {
      await createMatching({ endTime: time });
    }
    latchkey.clock.set(NOW - 2);
    await createMatching({});
    latchkey.clock.set(NOW + 2);
    await createMatching({});
    latchkey.clock.set(NOW);
    const query = {
      name: 'wanted',
      tags: 'wanted',
      campaignState: 'scheduled',
      createdAfter: at(-1),
      createdBefore: at(1),
      startAfter: '2027-05-15T00:00:00Z',
      startBefore: '2027-06-15T00:00:00Z',
      endAfter: '2027-07-20T00:00:00Z',
      endBefore: '2027-08-15T00:00:00Z',
    };
    expect(await names(applicationId, query)).toEqual(['Wanted', 'by its tag']);
    expect(await names(applicationId, { ...query, campaignState: 'enabled' })).toEqual(['Wanted', 'by its tag']);
  });

  test('has no duplicates or gaps between pages while campaigns are added', async () => {
    const applicationId = await createApplication(admin);
    const ids: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      ids.push(await create(applicationId, { name: 'Same name' }));
    }
    for (const sort of ['id', 'created', 'name', 'updated', 'startTime', 'endTime']) {
      const seen: number[] = [];
      for (let skip = 0; ; skip += 3) {
        const { data } = await list(applicationId, { pageSize: 3, skip, sort });
        seen.push(...data.map(({ id }) => id));
        if (data.length < 3) {
          break;
        }
        if (skip < 9) {
          ids.push(await create(applicationId, { name: 'Same name' }));
        }
      }
      expect(seen).toEqual(ids);
    }
  });

  test.each([
    'campaignState=Running',
    'campaignState=finished',
    'campaignState=',
    'campaignState=running&campaignState=expired',
    'name=',
    'name=a&name=b',
    'name=a%00',
    'name=a%0Ab',
    `name=${'x'.repeat(256)}`,
    'tags=',
    `tags=${'x'.repeat(51)}`,
    'tags=%ED%A0%80%00',
    'createdBefore=2026-11-23',
    'createdBefore=',
    'createdAfter=now',
    'createdAfter=2026-02-30T00:00:00Z',
    'startBefore=1',
    'startAfter=2026-11-23T12:00:00',
    'startAfter=2026-11-23T12:00:00+02:00',
    'endBefore=2026-11-23T25:00:00Z',
    'endAfter=x&endAfter=y',
    'sort=tags',
    'sort=--id',
    'sort=id,name',
    'pageSize=0',
    'pageSize=1001',
    'pageSize=1.5',
    'pageSize=1e999',
    'skip=-1',
    'skip=2147483648',
    'campaignGroupId=0',
    'templateId=x',
    'color=red',
  ])('refuses the query %s and names the parameter', async (query) => {
    const applicationId = await createApplication(admin);
    const answer = await admin.get<ProblemBody>(`/v1/applications/${applicationId}/campaigns?${query}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'validation-failed']);
    expect(answer.body.errors?.map(({ parameter }) => parameter)).toContain(query.split('=')[0]);
  });
});
