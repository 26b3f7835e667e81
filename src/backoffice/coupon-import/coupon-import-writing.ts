import type { EntityManager } from 'typeorm';
import type { Write } from '../../authority/write.js';
import { UniqueViolation } from '../../database/driver-errors.js';
import { type Fault, FAULTS_MAX, Problem } from '../../problems/problem.js';
import {
  type CodeOwner,
  type CouponBatch,
  INSERTION_SIZE,
  insertCoupons,
  takenCodes,
} from '../coupons/coupon-insertion.js';
import type { CouponSpool, SpooledCoupon } from './coupon-spool.js';

/** The approximate maximum size of the coupons in one query, whatever their attributes are. */
const INSERTION_BYTES = 1024 * 1024;

/**
 * Writes the coupons of a spool to the database in a transaction, and returns how many it inserted. Between batches the
 * event loop runs, so that the process serves other requests. There, an aborted signal ends the work with its reason.
 * Throws `coupon-exists` with the lines of codes that are taken, unless duplicates are skipped.
 */
export async function writeCoupons(
  { tx, turn }: Write,
  batch: CouponBatch,
  spool: CouponSpool,
  { skipDuplicates, signal }: { skipDuplicates: boolean; signal: AbortSignal },
): Promise<number> {
  const faults: Fault[] = [];
  let amount = 0;
  for await (const coupons of spool.batches({ size: INSERTION_SIZE, bytes: INSERTION_BYTES })) {
    signal.throwIfAborted();
    amount += skipDuplicates
      ? await insertNew(tx, batch, coupons)
      : await insertOrFindFaults(tx, batch, coupons, faults);
    if (faults.length >= FAULTS_MAX) {
      break;
    }
    await turn();
  }
  if (faults.length > 0) {
    throw new Problem('coupon-exists', `Line ${faults[0]!.line}: ${faults[0]!.detail}.`, { errors: faults });
  }
  return amount;
}

/**
 * Inserts the coupons whose codes are free. It looks up taken codes first, because every attempt uses up an id on
 * MySQL.
 */
async function insertNew(tx: EntityManager, batch: CouponBatch, coupons: SpooledCoupon[]): Promise<number> {
  const { fresh } = await sort(tx, batch, coupons);
  return insertCoupons(tx, batch, fresh, 'skip');
}

/**
 * Inserts all coupons. If a code is taken, it collects the faults of taken codes, and inserts the rest to find further
 * ones.
 */
async function insertOrFindFaults(
  tx: EntityManager,
  batch: CouponBatch,
  coupons: SpooledCoupon[],
  faults: Fault[],
): Promise<number> {
  for (let left = coupons; ;) {
    try {
      return await insertCoupons(tx, batch, left, 'refuse');
    } catch (error) {
      if (!(error instanceof UniqueViolation)) {
        throw error;
      }
    }
    const { fresh, taken } = await sort(tx, batch, left);
    faults.push(...taken.map(({ coupon, by }) => ({ line: coupon.line, detail: describe(coupon.value, by) })));
    left = fresh;
  }
}

/** Splits coupons into those with free codes and the others. Of equal codes, the first one is free. */
async function sort(
  tx: EntityManager,
  batch: CouponBatch,
  coupons: SpooledCoupon[],
): Promise<{ fresh: SpooledCoupon[]; taken: { coupon: SpooledCoupon; by: CodeOwner }[] }> {
  const owners = await takenCodes(
    tx,
    batch,
    coupons.map((coupon) => coupon.value),
  );
  const fresh: SpooledCoupon[] = [];
  const taken: { coupon: SpooledCoupon; by: CodeOwner }[] = [];
  for (const coupon of coupons) {
    const by = owners.get(coupon.value);
    if (by) {
      taken.push({ coupon, by });
    } else {
      owners.set(coupon.value, 'this import');
      fresh.push(coupon);
    }
  }
  return { fresh, taken };
}

function describe(value: string, by: CodeOwner): string {
  switch (by) {
    case 'this import':
      return `the code ${JSON.stringify(value)} is already in an earlier line of the file`;
    case 'another':
      return `the code ${JSON.stringify(value)} exists in this Application already`;
    default:
      return by satisfies never;
  }
}
