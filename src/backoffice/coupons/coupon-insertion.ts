import type { EntityManager } from 'typeorm';
import { engineIn } from '../../database/data-source.js';
import { translateDriverError, UniqueViolation } from '../../database/driver-errors.js';
import type { Milliseconds } from '../../database/times.js';
import type { NewCoupon } from './new-coupon.js';

/** Rows per query. SQLite runs in our own thread, and finishes this many within milliseconds. */
export const INSERTION_SIZE = 250;

/** The fields that coupons of one request share. */
export interface CouponBatch {
  applicationId: number;
  campaignId: number;
  created: Milliseconds;
  importId: number | null;
  batchId: string;
}

/** Who already owns a coupon code: an earlier row of this import, or another request. */
export type CodeOwner = 'this import' | 'another';

const COLUMNS = [
  'created',
  'campaign_id',
  'application_id',
  'value',
  'usage_limit',
  'usage_counter',
  'discount_limit',
  'discount_counter',
  'reservation_limit',
  'start_date',
  'expiry_date',
  'attributes',
  'recipient_integration_id',
  'import_id',
  'batch_id',
  'is_reservation_mandatory',
];
const ROW = `(${COLUMNS.map(() => '?').join(', ')})`;

/** Makes a query skip taken codes, and no other error. `INSERT IGNORE` would change invalid data silently. */
const SKIP_TAKEN = {
  mysql: ' ON DUPLICATE KEY UPDATE application_id = application_id',
  sqlite: ' ON CONFLICT (application_id, value) DO NOTHING',
};

/**
 * Inserts up to `INSERTION_SIZE` coupons. Returns how many of them are new.
 *
 * @param taken whether a taken code is skipped, or throws a `UniqueViolation`; in that case no coupon is inserted, and
 * the transaction can continue
 */
export async function insertCoupons(
  tx: EntityManager,
  batch: CouponBatch,
  coupons: readonly NewCoupon[],
  taken: 'skip' | 'refuse',
): Promise<number> {
  if (coupons.length === 0) {
    return 0;
  }
  const rows = coupons.map(() => ROW).join(', ');
  const sql = `INSERT INTO coupons (${COLUMNS.join(', ')}) VALUES ${rows}${taken === 'skip' ? SKIP_TAKEN[engineIn(tx)] : ''}`;
  const parameters = coupons.flatMap((coupon) => [
    batch.created,
    batch.campaignId,
    batch.applicationId,
    coupon.value,
    coupon.usageLimit,
    0,
    coupon.discountLimit,
    0,
    coupon.reservationLimit,
    coupon.startDate,
    coupon.expiryDate,
    coupon.attributes,
    coupon.recipientIntegrationId,
    batch.importId,
    batch.batchId,
    coupon.isReservationMandatory,
  ]);
  try {
    const { affected } = await tx.queryRunner!.query(sql, parameters, true);
    return affected ?? 0;
  } catch (error) {
    const violation = translateDriverError(error);
    throw violation instanceof UniqueViolation ? violation : error;
  }
}

/** Finds the codes that are taken in an Application, and who owns them. */
export async function takenCodes(
  tx: EntityManager,
  { applicationId, importId }: Pick<CouponBatch, 'applicationId' | 'importId'>,
  values: readonly string[],
): Promise<Map<string, CodeOwner>> {
  if (values.length === 0) {
    return new Map();
  }
  const rows: { value: string; importId: number | null }[] = await tx.query(
    `SELECT value AS value, import_id AS importId FROM coupons
     WHERE application_id = ? AND value IN (${values.map(() => '?').join(', ')})`,
    [applicationId, ...values],
  );
  return new Map(
    rows.map((row) => [row.value, importId !== null && row.importId === importId ? 'this import' : 'another']),
  );
}
