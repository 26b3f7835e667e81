import { DataSource } from 'typeorm';
import { type CouponIndex, selectCoupons } from '../../src/backoffice/coupons/coupon-selection.js';
import { CouponStatements, type Direction, type Reading } from '../../src/backoffice/coupons/coupon-walk.js';
import type { CouponFilters } from '../../src/backoffice/coupons/coupon-filters.dto.js';
import { type CouponPlace, createCampaign, createPlace, importCoupons, listCoupons } from './coupon-fixtures.js';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

const NOW = Date.parse('2026-11-23T12:00:00.000Z');

/** A placeholder for the batch of the coupons. */
const BATCH = 'the batch';

/** Every kind of filter, with the index that its query must use. */
const SEARCHES: [filters: CouponFilters, index: CouponIndex][] = [
  [{}, 'ix_coupons_campaign_id'],
  [{ value: 'CODE-7' }, 'ix_coupons_campaign_id'],
  [{ createdAfter: '2026-01-01T00:00:00Z', valid: 'validNow', usable: 'true' }, 'ix_coupons_campaign_id'],
  [{ value: 'CODE-7', exactMatch: 'true' }, 'uq_coupons_application_value'],
  [{ value: 'CODE-7', exactMatch: 'true', batchId: BATCH, valid: 'validNow' }, 'uq_coupons_application_value'],
  [{ batchId: BATCH }, 'ix_coupons_batch_id'],
  [{ batchId: BATCH, value: '7', redeemed: 'true' }, 'ix_coupons_batch_id'],
  [{ recipientIntegrationId: 'customer-7' }, 'ix_coupons_recipient'],
  [
    { recipientIntegrationId: 'customer-7', batchId: BATCH, expiresBefore: '2027-01-01T00:00:00Z' },
    'ix_coupons_recipient',
  ],
];

describe('the query plans for coupons', () => {
  let latchkey: Latchkey;
  let place: CouponPlace;
  let database: DataSource;
  let batchId: string;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    database = latchkey.get(DataSource);
    place = await createPlace(latchkey.admin);
    const others = await createCampaign(latchkey.admin, place.applicationId);
    for (const [at, prefix] of [
      [place, 'CODE'],
      [others, 'OTHER'],
    ] as const) {
      const rows = Array.from({ length: 3000 }, (_, number) => `${prefix}-${number},customer-${number % 700}`);
      await importCoupons(latchkey.admin, at, `value,recipientintegrationid\n${rows.join('\n')}\n`);
    }
    batchId = (await listCoupons(latchkey.admin, place))[0]!.batchId!;
  });
  afterAll(() => latchkey.close());

  const engine = (): 'mysql' | 'sqlite' => (database.options.type === 'mysql' ? 'mysql' : 'sqlite');

  /** Returns the plan of an engine for a query. Throws if the engine cannot parse it. */
  const explain = async ({ sql, parameters }: Reading): Promise<string> => {
    if (engine() === 'mysql') {
      // Outside a transaction, even the plan of a write is refused.
      const [row] = await latchkey
        .get(TransactionRunner)
        .inTransaction(
          (tx) => tx.query(`EXPLAIN FORMAT=TRADITIONAL ${sql}`, parameters) as Promise<Record<string, unknown>[]>,
        );
      return `${String(row!.type)} ${String(row!.key)} ${String(row!.key_len)} ${String(row!.Extra)}`;
    }
    const rows = (await database.query(`EXPLAIN QUERY PLAN ${sql}`, parameters)) as { detail: string }[];
    return rows.map((row) => row.detail).join('; ');
  };

  const expectIndex = (plan: string, index: string): void => {
    expect(plan).toContain(index);
    // The plan must not scan all coupons, nor sort any.
    expect(plan).not.toMatch(/SCAN|^ALL|^index |filesort|temporary|TEMP B-TREE/);
  };

  describe.each(['ascending', 'descending'] as Direction[])('%s', (direction) => {
    const window = direction === 'ascending' ? { first: 1, last: 5000 } : { first: 5000, last: 1 };

    it.each(SEARCHES)('a search for %j uses the index %s', async (filters, index) => {
      const selection = selectCoupons(place, { ...filters, ...(filters.batchId && { batchId }) }, NOW);
      expect(selection.index).toBe(index);
      const statements = new CouponStatements(engine(), selection, direction);
      const part = { skip: 100, take: 51 };
      for (const reading of [
        statements.next(window.first),
        statements.ids(window),
        statements.ids(window, part),
        statements.count(window),
      ]) {
        expectIndex(await explain(reading), index);
      }
    });

    it('the start of a window is read from the index alone', async () => {
      const statements = new CouponStatements(engine(), selectCoupons(place, {}, NOW), direction);
      expect(await explain(statements.next(window.first))).toMatch(/COVERING INDEX|Using index(?! condition)/);
    });

    it.each<CouponFilters>([
      {},
      { value: 'CODE-7' },
      { valid: 'expired' },
      { valid: 'validNow' },
      { valid: 'validFuture' },
      { usable: 'false' },
      { redeemed: 'true' },
      { createdBefore: '2026-01-01T00:00:00Z', createdAfter: '2025-01-01T00:00:00Z' },
      { startsBefore: '2026-01-01T00:00:00Z', startsAfter: '2025-01-01T00:00:00Z' },
      { expiresBefore: '2026-01-01T00:00:00Z', expiresAfter: '2025-01-01T00:00:00Z' },
    ])('a scan of a campaign for %j reads only an index', async (filters) => {
      const statements = new CouponStatements(engine(), selectCoupons(place, filters, NOW), direction);
      for (const reading of [statements.ids(window), statements.count(window)]) {
        expect(await explain(reading)).toMatch(/COVERING INDEX|Using index(?! condition)/);
      }
    });

    it('a search for coupons of a referral reads no coupons', async () => {
      const selection = selectCoupons(place, { referralId: 5 }, NOW);
      expect(selection.besides).toBeUndefined();
      const plan = await explain(new CouponStatements(engine(), selection, direction).next(window.first));
      expect(plan).toMatch(engine() === 'mysql' ? /Impossible WHERE/ : /SEARCH coupons/);
    });
  });

  it('a search for existing codes uses the index of codes', async () => {
    const codes = Array.from({ length: 250 }, (_, number) => `CODE-${number}`);
    const plan = await explain({
      sql: `SELECT value AS value, import_id AS importId FROM coupons WHERE application_id = ? AND value IN (${codes.map(() => '?').join(', ')})`,
      parameters: [place.applicationId, ...codes],
    });
    expectIndex(plan, 'uq_coupons_application_value');
  });

  it('reads and deletions by id use the primary key', async () => {
    const ids = Array.from({ length: 250 }, (_, number) => number + 1);
    const list = ids.map(() => '?').join(', ');
    for (const sql of [
      `SELECT * FROM coupons WHERE id IN (${list}) ORDER BY id`,
      `DELETE FROM coupons WHERE id IN (${list}) AND campaign_id = ?`,
    ]) {
      const parameters = sql.startsWith('DELETE') ? [...ids, place.campaignId] : ids;
      expect(await explain({ sql, parameters })).toMatch(/PRIMARY|rowid=\?|campaign_id=\? AND id=\?/);
    }
  });
});
