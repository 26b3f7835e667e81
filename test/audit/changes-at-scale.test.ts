import { Change } from '../../src/audit/change.entity.js';
import { type ChangeFilter, ChangeSearch, type Statement } from '../../src/audit/change-search.js';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

const ENTRIES = 12_000;
const START = Date.parse('2026-01-01T00:00:00.000Z');

/** How the databases report that they read only a part of an index, or all of it. */
const PART_OF_INDEX =
  /SEARCH changes USING COVERING INDEX ix_changes_|Covering index (range scan|lookup) on changes using ix_changes_/;
const WHOLE_INDEX =
  /SCAN changes USING COVERING INDEX ix_|Covering index scan on changes using ix_|Count rows in changes/;

type Query = (statement: Statement) => Promise<Record<string, unknown>[]>;
type Row = Omit<Change, 'old' | 'new'>;

/** Returns an entry. Its values repeat with different periods, so that they do not depend on each other. */
function row(id: number): Row {
  return {
    id,
    // Some entries have the same time, and some are out of the order of their ids, because clocks of processes differ.
    created: START + Math.floor(id / 3) * 1000 - (id % 97 === 0 ? 60_000 : 0),
    userId: 1 + (id % 7 === 0 ? id % 5 : 0),
    applicationId: id % 4 === 0 ? null : 1 + (id % 3),
    managementKeyId: id % 2 === 0 ? null : 1 + (id % 11),
    hiddenFromKeys: id % 13 === 0,
    actor: 'user',
    address: null,
    entity: id % 1000 === 500 ? `DELETE /v1/rare/${id}` : `PUT /v1/things/${id}`,
  };
}

describe('a large audit log', () => {
  let latchkey: Latchkey;
  const rows = Array.from({ length: ENTRIES }, (_, i) => row(1_000_000 + i));

  beforeAll(async () => {
    latchkey = await startLatchkey();
    await latchkey.get(TransactionRunner).inTransaction(async (tx) => {
      for (let start = 0; start < ENTRIES; start += 1000) {
        const entries = rows
          .slice(start, start + 1000)
          .map((entry) => ({ ...entry, old: { id: entry.id }, new: null }));
        await tx.createQueryBuilder().insert().into(Change).values(entries).updateEntity(false).execute();
      }
    });
  }, 60_000);
  afterAll(() => latchkey.close());

  /** Runs many statements over one connection. */
  const inOne = (work: (query: Query) => Promise<void>): Promise<void> =>
    latchkey.get(TransactionRunner).inTransaction((tx) => work(({ sql, parameters }) => tx.query(sql, parameters)));

  /** Generates every combination of filters. */
  function* filters(): Generator<ChangeFilter> {
    for (const applicationId of [undefined, 2]) {
      for (const userId of [undefined, 1, 4]) {
        for (const managementKeyId of [undefined, 6]) {
          for (const entityPath of [undefined, '/RARE/', 'nowhere']) {
            for (const [createdAfter, createdBefore] of [
              [undefined, undefined],
              [START + 500_000, undefined],
              [START + 999_000, START + 2_001_000],
            ]) {
              for (const descending of [false, true]) {
                for (const hidden of [false, true]) {
                  yield {
                    applicationId,
                    userId,
                    managementKeyId,
                    entityPath,
                    createdAfter,
                    createdBefore,
                    descending,
                    hidden,
                  };
                }
              }
            }
          }
        }
      }
    }
  }

  /** Returns the expected ids, by testing each entry. */
  function expected(filter: ChangeFilter): number[] {
    const { applicationId, userId, managementKeyId, entityPath, createdAfter, createdBefore } = filter;
    const found = rows.filter(
      (entry) =>
        (applicationId === undefined || entry.applicationId === applicationId) &&
        (userId === undefined || entry.userId === userId) &&
        (managementKeyId === undefined || entry.managementKeyId === managementKeyId) &&
        (entityPath === undefined || entry.entity.toLowerCase().includes(entityPath.toLowerCase())) &&
        (createdAfter === undefined || entry.created > createdAfter) &&
        (createdBefore === undefined || entry.created < createdBefore) &&
        (filter.hidden || !entry.hiddenFromKeys),
    );
    found.sort((a, b) => a.created - b.created || a.id - b.id);
    return (filter.descending ? found.toReversed() : found).map(({ id }) => id);
  }

  /** Excludes the entries of the start of the process. */
  const OURS: Pick<ChangeFilter, 'createdBefore'> = { createdBefore: START + ENTRIES * 1000 };

  test('is searched and counted exactly with every combination of filters', async () => {
    const { engine } = latchkey.database;
    await inOne(async (query) => {
      for (const given of filters()) {
        const filter = { ...given, createdBefore: given.createdBefore ?? OURS.createdBefore };
        const search = new ChangeSearch(engine, filter);
        const all = expected(filter);
        const skips = [0, Math.max(0, all.length - 3)];
        for (const skip of skips) {
          const page = await search.page(query, { skip, pageSize: 10, count: skip > 0 });
          expect({ filter, skip, ids: page.ids }).toEqual({ filter, skip, ids: all.slice(skip, skip + 11) });
          if (skip > 0) {
            expect({ filter, total: page.total }).toEqual({ filter, total: all.length });
          }
        }
      }
    });
  }, 120_000);

  test('is paged from end to end without repeating or skipping changes', async () => {
    for (const sort of ['created', '-created']) {
      const seen: number[] = [];
      for (let skip = 0; ; skip += 1000) {
        const { body } = await latchkey.admin.get<{ hasMore: boolean; data: { id: number; old: { id: number } }[] }>(
          `/v1/changes?managementKeyId=6&pageSize=1000&skip=${skip}&sort=${sort}`,
        );
        body.data.forEach((entry) => expect(entry.old.id).toBe(entry.id));
        seen.push(...body.data.map(({ id }) => id));
        if (!body.hasMore) {
          break;
        }
      }
      expect(seen).toEqual(expected({ managementKeyId: 6, hidden: true, descending: sort === '-created' }));
    }
  });

  /** Returns the steps in which a database would execute a statement. */
  async function explain(query: Query, { sql, parameters }: Statement): Promise<string[]> {
    if (latchkey.database.engine === 'sqlite') {
      const steps = await query({ sql: `EXPLAIN QUERY PLAN ${sql}`, parameters });
      return steps.map(({ detail }) => String(detail));
    }
    const [tree] = await query({ sql: `EXPLAIN FORMAT=TREE ${sql}`, parameters });
    return String(tree!.EXPLAIN).trim().split('\n');
  }

  test('is read in the order of one covering index: no query reads rows or sorts', async () => {
    const { engine } = latchkey.database;
    const from = { created: START + 1_000_000, id: 1_003_000 };
    const to = { created: START + 2_000_000, id: 1_006_000 };
    const places = [
      [undefined, undefined],
      [undefined, to],
      [from, undefined],
      [from, to],
    ] as const;
    await inOne(async (query) => {
      for (const filter of filters()) {
        const search = new ChangeSearch(engine, filter);
        const [first, last] = filter.descending ? [to, from] : [from, to];
        for (const [hasFrom, hasTo] of places) {
          const [a, b] = [hasFrom && first, hasTo && last];
          for (const statement of [
            search.boundary(a, 1000),
            search.countMatches(a, b),
            search.matches(a, b, { wanted: 51, passOver: 10 }),
          ]) {
            const plan = await explain(query, statement);
            const reads = plan.filter((step) => /(SCAN|SEARCH| on| in) changes\b/.test(step));
            const whole = statement.sql.includes('WHERE 1 = 1');
            const good =
              reads.length === 1 &&
              (whole ? WHOLE_INDEX : PART_OF_INDEX).test(reads[0]!) &&
              !plan.some((step) => /sort|temp/i.test(step));
            expect({ statement, plan, good }).toEqual({ statement, plan, good: true });
          }
        }
      }
    });
  }, 120_000);
});
