import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Caller } from '../../access/caller.js';
import { Transactions } from '../../authority/transactions.js';
import type { Write } from '../../authority/write.js';
import { Clock } from '../../config/clock.js';
import { UniqueViolation } from '../../database/driver-errors.js';
import { CampaignsService } from '../campaigns/campaigns.service.js';
import { newBatchId } from '../coupons/coupon-batch.js';
import { type CouponBatch, INSERTION_SIZE, insertCoupons, takenCodes } from '../coupons/coupon-insertion.js';
import { drawCodes, patternTooNarrow } from './coupon-pattern.js';
import { refuseWrongDates, termsOf } from '../coupons/coupon-terms.js';
import { CouponTurns, takeCampaignTurn } from '../coupons/coupon-turns.js';
import { couponView } from '../coupons/coupon-view.js';
import type { Coupon } from '../coupons/coupon.entity.js';
import type { CouponView, GeneratedCoupons, NewCoupons } from '../coupons/coupons.dto.js';
import type { CouponPlace } from '../coupons/coupons.service.js';
import { type CouponTerms, DEFAULT_TERMS } from '../coupons/new-coupon.js';

/** How many coupons are read at once. The number is small, so that others wait only briefly. */
const CHUNK = 1000;

/** Creates coupons with random codes from a pattern. */
@Injectable()
export class CouponGeneration {
  constructor(
    private readonly campaigns: CampaignsService,
    private readonly transactions: Transactions,
    private readonly turns: CouponTurns,
    private readonly clock: Clock,
  ) {}

  /**
   * Creates all coupons or none, and returns them unless `silent` is set. Throws `campaign-not-found`, `too-busy`, and
   * `pattern-too-narrow` if the pattern has too few codes.
   */
  async generate(
    caller: Caller,
    place: CouponPlace,
    request: NewCoupons,
    { silent }: { silent: boolean },
  ): Promise<GeneratedCoupons | undefined> {
    const { applicationId, campaignId } = place;
    const { attributes, ...given } = { ...DEFAULT_TERMS, attributes: {}, ...termsOf(request) };
    refuseWrongDates(given);
    const terms: CouponTerms = { ...given, attributes: JSON.stringify(attributes) };
    const work = async (write: Write): Promise<GeneratedCoupons | undefined> => {
      const { tx } = write;
      await takeCampaignTurn(write, place);
      const batch: CouponBatch = { ...place, created: this.clock.now(), importId: null, batchId: newBatchId() };
      await this.campaigns.hold(tx, applicationId, campaignId);
      await insertDrawn(write, batch, terms, request);
      write.record({
        entity: `POST /v1/applications/${applicationId}/campaigns/${campaignId}/coupons`,
        applicationId,
        new: { ...request, batchId: batch.batchId, coupons: request.numberOfCoupons },
      });
      return silent ? undefined : readMade(write, { ...given, ...batch, attributes });
    };
    return this.turns.generating(place, () => this.transactions.write(caller, work));
  }
}

/** Reads the coupons of a batch, in the order of their ids. They share all fields except ids and codes. */
async function readMade(
  { tx, turn }: Write,
  common: Omit<Coupon, 'id' | 'value' | 'usageCounter' | 'discountCounter'>,
): Promise<GeneratedCoupons> {
  const { campaignId, batchId } = common;
  const data: CouponView[] = [];
  for (let last = 0; ;) {
    const rows: { id: number; value: string }[] = await tx.query(
      `SELECT id AS id, value AS value FROM coupons
       WHERE campaign_id = ? AND batch_id = ? AND id > ? ORDER BY id LIMIT ${CHUNK}`,
      [campaignId, batchId, last],
    );
    data.push(...rows.map((row) => couponView({ ...common, ...row, usageCounter: 0, discountCounter: 0 })));
    if (rows.length < CHUNK) {
      return { totalResultSize: data.length, data };
    }
    last = rows.at(-1)!.id;
    await turn();
  }
}

/** Inserts the requested number of coupons, with codes that are free. */
async function insertDrawn(
  { tx, turn }: Write,
  batch: CouponBatch,
  terms: CouponTerms,
  request: NewCoupons,
): Promise<void> {
  const codes = drawCodes(request, request.numberOfCoupons);
  let look = Math.min(request.numberOfCoupons, INSERTION_SIZE);
  for (let missing = request.numberOfCoupons; missing > 0; look = INSERTION_SIZE) {
    const drawn = take(codes, look);
    if (drawn.length === 0) {
      throw patternTooNarrow(`The pattern has too few free codes: ${missing} more are needed. Use a longer pattern.`);
    }
    missing -= await insertFree(tx, batch, terms, { codes: drawn, most: missing });
    await turn();
  }
}

/** Inserts the codes that are free, up to the requested number. Returns how many it inserted. */
async function insertFree(
  tx: EntityManager,
  batch: CouponBatch,
  terms: CouponTerms,
  { codes, most }: { codes: string[]; most: number },
): Promise<number> {
  for (;;) {
    const taken = await takenCodes(tx, batch, codes);
    const free = codes.filter((value) => !taken.has(value)).slice(0, most);
    try {
      const coupons = free.map((value) => ({ value, ...terms }));
      return await insertCoupons(tx, batch, coupons, 'refuse');
    } catch (error) {
      // Another transaction has just taken one of the codes: check again.
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
