import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager } from 'typeorm';
import { type Caller, callerInLog } from '../../access/caller.js';
import { Transactions } from '../../authority/transactions.js';
import type { RecordedChange, Write } from '../../authority/write.js';
import { Clock } from '../../config/clock.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import { type Scan, ScanTurns } from '../../database/reading/scan-turns.js';
import { Problem } from '../../problems/problem.js';
import { CampaignsService } from '../campaigns/campaigns.service.js';
import { type CouponSelection, selectCoupons } from './coupon-selection.js';
import { walkCoupons } from './coupon-walk.js';
import { Coupon } from './coupon.entity.js';
import type { CouponFilters } from './coupon-filters.dto.js';
import type { CouponPlace } from './coupons.service.js';
import { deleteBatch } from '../campaigns/deletion-batch.js';

/** How many coupons one transaction deletes. The number is small, so that other writes wait only briefly. */
const BATCH = 500;

/** How many coupons were deleted so far, and the change in the audit log that records it. */
interface OutcomeCounters {
  coupons: number;
  recorded: RecordedChange | undefined;
}

/**
 * Deletes all coupons of a campaign that match filters, in batches. Each batch is a transaction, with pauses in between
 * for other work. One change in the audit log records how many there were. Each batch updates it, so that it is correct
 * even if the process dies in between.
 */
@Injectable()
export class CouponDeletion implements OnModuleDestroy {
  private stopping = false;

  constructor(
    @InjectRepository(Coupon) private readonly coupons: ReadRepository<Coupon>,
    private readonly campaigns: CampaignsService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
    private readonly scans: ScanTurns,
  ) {}

  /** Resolves when all coupons are deleted that existed at the start. Throws `campaign-not-found`. */
  async delete(caller: Caller, place: CouponPlace, filters: CouponFilters): Promise<void> {
    await this.campaigns.get(place.applicationId, place.campaignId);
    const selection = selectCoupons(place, filters, this.clock.now());
    let tally: OutcomeCounters = { coupons: 0, recorded: undefined };
    const scan = this.scans.begin(callerInLog(caller.principal));
    for await (const batch of this.batches(selection, scan)) {
      if (this.stopping) {
        throw new Problem('shutting-down', `${tally.coupons} coupons are deleted: repeat the request to continue.`);
      }
      tally = await deleteBatch(this.transactions, caller, async (write) => {
        const coupons = tally.coupons + (await deleteFitting(write.tx, selection, batch));
        return this.record(write, place, filters, { ...tally, coupons });
      });
    }
  }

  onModuleDestroy(): void {
    this.stopping = true;
  }

  /** Updates the change in the audit log. The first batch that deletes something creates it. */
  private record(
    write: Write,
    { applicationId, campaignId }: CouponPlace,
    filters: CouponFilters,
    { coupons, recorded }: OutcomeCounters,
  ): OutcomeCounters {
    const old = { filters: { ...filters }, coupons };
    if (recorded?.id !== undefined) {
      write.amend(recorded.id, { old });
      return { coupons, recorded };
    }
    const entity = `DELETE /v1/applications/${applicationId}/campaigns/${campaignId}/coupons`;
    return { coupons, recorded: coupons === 0 ? undefined : write.record({ entity, applicationId, old }) };
  }

  private async *batches(selection: CouponSelection, scan: Scan): AsyncGenerator<number[]> {
    for await (const ids of walkCoupons({ coupons: this.coupons, scan }, selection)) {
      for (let start = 0; start < ids.length; start += BATCH) {
        yield ids.slice(start, start + BATCH);
      }
    }
  }
}

/** Deletes those of the coupons that still match. Returns how many it deleted. */
async function deleteFitting(tx: EntityManager, selection: CouponSelection, ids: number[]): Promise<number> {
  const { along, besides } = selection;
  const conditions = [`id IN (${ids.map(() => '?').join(', ')})`, along.sql, ...(besides ? [besides.sql] : [])];
  const { affected } = await tx.queryRunner!.query(
    `DELETE FROM coupons WHERE ${conditions.join(' AND ')}`,
    [...ids, ...along.parameters, ...(besides?.parameters ?? [])],
    true,
  );
  return affected ?? 0;
}
