import { setImmediate as eventLoop } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Principal } from '../access/principal.js';
import { ChangesService } from '../changes/changes.service.js';
import { Clock } from '../config/clock.js';
import { UniqueViolation } from '../database/driver-errors.js';
import { Transactions } from '../database/transactions.js';
import { CampaignsService } from './campaigns.service.js';
import { newBatchId } from './coupon-batch.js';
import { type CouponBatch, INSERTION_SIZE, insertCoupons, takenCodes } from './coupon-insertion.js';
import { drawCodes, patternTooNarrow } from './coupon-pattern.js';
import { refuseWrongDates, termsOf } from './coupon-terms.js';
import { couponView } from './coupon-view.js';
import { Coupon } from './coupon.entity.js';
import type { GeneratedCoupons, NewCoupons } from './coupons.dto.js';
import type { CouponPlace } from './coupons.service.js';
import { type CouponTerms, DEFAULT_TERMS } from './new-coupon.js';

/** Makes coupons whose codes are drawn at random from a pattern. */
@Injectable()
export class CouponGeneration {
  constructor(
    private readonly campaigns: CampaignsService,
    private readonly transactions: Transactions,
    private readonly changes: ChangesService,
    private readonly clock: Clock,
  ) {}

  /** Makes them, all or none. Throws `campaign-not-found`, and `pattern-too-narrow` if there is not enough room. */
  async generate(caller: Principal, place: CouponPlace, request: NewCoupons): Promise<GeneratedCoupons> {
    const { applicationId, campaignId } = place;
    const { attributes, ...given } = { ...DEFAULT_TERMS, attributes: {}, ...termsOf(request) };
    refuseWrongDates(given);
    const terms: CouponTerms = { ...given, attributes: JSON.stringify(attributes) };
    const batch: CouponBatch = { ...place, created: this.clock.now(), importId: null, batchId: newBatchId() };
    return this.transactions.inTransaction(async (tx) => {
      await this.campaigns.hold(tx, applicationId, campaignId);
      await insertDrawn(tx, batch, terms, request);
      const { batchId } = batch;
      const coupons = await tx.find(Coupon, { where: { campaignId, batchId }, order: { id: 'ASC' } });
      await this.changes.record(tx, {
        caller,
        entity: `POST /v1/applications/${applicationId}/campaigns/${campaignId}/coupons`,
        applicationId,
        new: { ...request, batchId, coupons: coupons.length },
      });
      return { totalResultSize: coupons.length, data: coupons.map(couponView) };
    });
  }
}

/** Inserts as many coupons as are wanted, with codes that nobody has yet. */
async function insertDrawn(
  tx: EntityManager,
  batch: CouponBatch,
  terms: CouponTerms,
  request: NewCoupons,
): Promise<void> {
  const codes = drawCodes(request, request.numberOfCoupons);
  for (let missing = request.numberOfCoupons; missing > 0;) {
    const drawn = take(codes, Math.min(missing, INSERTION_SIZE));
    if (drawn.length === 0) {
      throw patternTooNarrow(
        `Too few of the codes that the pattern stands for were found to be free: ${missing} are missing.`,
      );
    }
    missing -= await insertFree(tx, batch, terms, drawn);
    await eventLoop();
  }
}

/** Inserts those codes that are free, and answers how many they were. */
async function insertFree(tx: EntityManager, batch: CouponBatch, terms: CouponTerms, codes: string[]): Promise<number> {
  for (;;) {
    const taken = await takenCodes(tx, batch, codes);
    const free = codes.filter((value) => !taken.has(value)).map((value) => ({ value, ...terms }));
    try {
      return await insertCoupons(tx, batch, free, 'refuse');
    } catch (error) {
      // Somebody took one of them just now: look again.
      if (!(error instanceof UniqueViolation)) {
        throw error;
      }
    }
  }
}

function take(codes: Generator<string>, amount: number): string[] {
  const taken: string[] = [];
  while (taken.length < amount) {
    const next = codes.next();
    if (next.done) {
      break;
    }
    taken.push(next.value);
  }
  return taken;
}
