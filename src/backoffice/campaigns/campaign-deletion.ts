import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { LessThanOrEqual } from 'typeorm';
import { system } from '../../access/actor.js';
import type { Caller } from '../../access/caller.js';
import { Transactions } from '../../authority/transactions.js';
import { Clock } from '../../config/clock.js';
import { ForeignKeyViolation } from '../../database/driver-errors.js';
import { PeriodicWork } from '../../database/periodic-work.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import { Problem } from '../../problems/problem.js';
import { findCampaign } from './campaign-reading.js';
import { campaignView } from './campaign-view.js';
import { Campaign } from './campaign.entity.js';
import { orNotFound } from './campaigns.service.js';
import { Coupon, CouponImport } from '../coupons/coupon.entity.js';
import { deleteBatch } from './deletion-batch.js';

/** Coupons that one transaction deletes: few enough that whoever waits for it hardly notices. */
const BATCH = 1000;
/** The caller only marks the campaign. Emptying it is the system's work, and goes on if the caller's authority ends. */
const EMPTYING = system('campaign-deletion');
/** How often a process looks for deletions that another one began and did not end. */
const RESUME_MS = 10 * 60_000;

/**
 * Deletes campaigns together with their coupons, of which there may be a million.
 *
 * First the campaign is marked, and the deletion recorded, in one short transaction: from then on nobody finds it and
 * nothing comes into it. Its coupons follow in batches, each a transaction of its own, with room for everybody else in
 * between, and the campaign goes with the last of them. If the process dies meanwhile, the mark stays: the same request
 * goes on where it stopped, and so does every process at its start and every few minutes. Until all is gone, the
 * coupons' codes stay taken in the Application, and the Application cannot be deleted.
 */
@Injectable()
export class CampaignDeletion implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger = new Logger(CampaignDeletion.name);
  private readonly resuming = new PeriodicWork('The end of deletions that were begun', RESUME_MS, () => this.resume());
  private readonly underWay = new Map<number, Promise<void>>();
  private stopping = false;

  constructor(
    @InjectRepository(Campaign) private readonly campaigns: ReadRepository<Campaign>,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Deletes a campaign and everything in it; resolves when all is gone. Throws `campaign-not-found`. */
  async delete(caller: Caller, applicationId: number, campaignId: number): Promise<void> {
    await this.mark(caller, applicationId, campaignId);
    await this.empty(campaignId);
  }

  onApplicationBootstrap(): void {
    void this.resuming.run();
    this.resuming.start();
  }

  onModuleDestroy(): void {
    this.stopping = true;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.allSettled([this.resuming.stop(), ...this.underWay.values()]);
  }

  /** Ends the deletions that were begun and not ended, here or elsewhere. */
  private async resume(): Promise<void> {
    const marked = await this.campaigns.find({ select: { id: true }, where: { beingDeleted: true } });
    for (const { id } of marked) {
      try {
        await this.empty(id);
      } catch (error) {
        if (!this.stopping) {
          this.logger.warn(`The deletion of campaign ${id} could not be ended yet: ${String(error)}`);
        }
      }
    }
  }

  /** Marks a campaign and records its deletion, unless somebody has done so already. */
  private async mark(caller: Caller, applicationId: number, campaignId: number): Promise<void> {
    const place = { applicationId, campaignId, now: this.clock.now() };
    await this.transactions.write(caller, async (write) => {
      const { tx } = write;
      const found = await findCampaign(tx, place, 'pessimistic_write');
      if (!found && (await tx.existsBy(Campaign, { id: campaignId, applicationId, beingDeleted: true }))) {
        return;
      }
      const before = orNotFound(found, place);
      await tx.update(Campaign, { id: campaignId }, { beingDeleted: true });
      write.record({
        entity: `DELETE /v1/applications/${applicationId}/campaigns/${campaignId}`,
        applicationId,
        old: { ...campaignView(before), coupons: await tx.countBy(Coupon, { campaignId }) },
      });
    });
  }

  private async empty(campaignId: number): Promise<void> {
    let work = this.underWay.get(campaignId);
    if (!work) {
      work = this.deleteInBatches(campaignId).finally(() => this.underWay.delete(campaignId));
      this.underWay.set(campaignId, work);
    }
    await work;
  }

  private async deleteInBatches(campaignId: number): Promise<void> {
    for (;;) {
      if (this.stopping) {
        throw new Problem('shutting-down', 'The campaign is gone, its coupons are not yet: ask again to go on.');
      }
      const more = await this.deleteSomeCoupons(campaignId);
      if (!more && (await this.deleteEmptyCampaign(campaignId))) {
        return;
      }
    }
  }

  /** Deletes one batch; answers whether there may be more. */
  private deleteSomeCoupons(campaignId: number): Promise<boolean> {
    return deleteBatch(this.transactions, EMPTYING, async ({ tx }) => {
      const last = await tx
        .createQueryBuilder(Coupon, 'coupon')
        .select('coupon.id')
        .where('coupon.campaignId = :campaignId', { campaignId })
        .orderBy('coupon.id')
        .offset(BATCH - 1)
        .limit(1)
        .getOne();
      await tx.delete(Coupon, { campaignId, ...(last && { id: LessThanOrEqual(last.id) }) });
      return last !== null;
    });
  }

  /** False if a coupon is there after all, from somebody who found the campaign before it was marked. */
  private async deleteEmptyCampaign(campaignId: number): Promise<boolean> {
    try {
      await this.transactions.write(EMPTYING, async ({ tx }) => {
        await tx.delete(CouponImport, { campaignId });
        await tx.delete(Campaign, { id: campaignId });
      });
      return true;
    } catch (error) {
      if (error instanceof ForeignKeyViolation && (await this.hasCoupons(campaignId))) {
        return false;
      }
      throw error;
    }
  }

  private hasCoupons(campaignId: number): Promise<boolean> {
    return this.transactions.write(EMPTYING, ({ tx }) => tx.existsBy(Coupon, { campaignId }));
  }
}
