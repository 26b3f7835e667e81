import { setImmediate as eventLoop } from 'node:timers/promises';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager } from 'typeorm';
import { CallerChecks } from '../access/caller-check.js';
import type { Principal } from '../access/principal.js';
import { ChangesService } from '../changes/changes.service.js';
import { Clock } from '../config/clock.js';
import type { ReadRepository } from '../database/read-repository.js';
import { Transactions } from '../database/transactions.js';
import { Problem } from '../http/problem.js';
import { CampaignsService } from './campaigns.service.js';
import { type CouponSelection, selectCoupons } from './coupon-selection.js';
import { walkCoupons } from './coupon-walk.js';
import { Coupon } from './coupon.entity.js';
import type { CouponFilters } from './coupons.dto.js';
import type { CouponPlace } from './coupons.service.js';

/** Coupons that one transaction deletes: few enough that whoever waits for it hardly notices. */
const BATCH = 1000;

/**
 * Deletes all coupons of a campaign that fit some filters, however many: in batches, each a transaction of its own, with
 * room for everybody else in between. One entry of the audit trail tells how many there were; each batch brings it up to
 * date, so that it is right even if the process dies in between.
 */
@Injectable()
export class CouponDeletion implements OnModuleDestroy {
  private stopping = false;

  constructor(
    @InjectRepository(Coupon) private readonly coupons: ReadRepository<Coupon>,
    private readonly campaigns: CampaignsService,
    private readonly transactions: Transactions,
    private readonly changes: ChangesService,
    private readonly callerChecks: CallerChecks,
    private readonly clock: Clock,
  ) {}

  /** Resolves when all are gone that were there at the beginning. Throws `campaign-not-found`. */
  async delete(caller: Principal, place: CouponPlace, filters: CouponFilters): Promise<void> {
    const { applicationId, campaignId } = place;
    await this.campaigns.get(applicationId, campaignId);
    const selection = selectCoupons(place, filters, this.clock.now());
    const entity = `DELETE /v1/applications/${applicationId}/campaigns/${campaignId}/coupons`;
    let entry: number | undefined;
    let deleted = 0;
    for await (const batch of this.batches(selection)) {
      if (this.stopping) {
        throw new Problem('shutting-down', `${deleted} coupons are gone: ask again to go on.`);
      }
      const done = await this.transactions.inTransaction(async (tx) => {
        await this.callerChecks.stillAlive(tx, caller);
        const count = deleted + (await deleteBatch(tx, selection, batch));
        const old = { filters: { ...filters }, coupons: count };
        if (entry !== undefined) {
          await this.changes.amend(tx, entry, { old });
          return { count, entry };
        }
        return {
          count,
          entry: count === 0 ? undefined : await this.changes.record(tx, { caller, entity, applicationId, old }),
        };
      });
      deleted = done.count;
      entry = done.entry;
      await eventLoop();
    }
  }

  onModuleDestroy(): void {
    this.stopping = true;
  }

  private async *batches(selection: CouponSelection): AsyncGenerator<number[]> {
    for await (const ids of walkCoupons(this.coupons, selection)) {
      for (let start = 0; start < ids.length; start += BATCH) {
        yield ids.slice(start, start + BATCH);
      }
    }
  }
}

/** Deletes those of some coupons that still fit, and answers how many they were. */
async function deleteBatch(tx: EntityManager, selection: CouponSelection, ids: number[]): Promise<number> {
  const { along, besides } = selection;
  const conditions = [`id IN (${ids.map(() => '?').join(', ')})`, along.sql, ...(besides ? [besides.sql] : [])];
  const { affected } = await tx.queryRunner!.query(
    `DELETE FROM coupons WHERE ${conditions.join(' AND ')}`,
    [...ids, ...along.parameters, ...(besides?.parameters ?? [])],
    true,
  );
  return affected ?? 0;
}
