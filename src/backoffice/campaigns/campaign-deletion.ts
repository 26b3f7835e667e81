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

/** How many coupons one transaction deletes. The number is small, so that other writes wait only briefly. */
const BATCH = 1000;
/** The caller only marks the campaign. The system deletes its coupons, and continues if the caller's authority ends. */
const EMPTYING = system('campaign-deletion');
/** How often a process looks for deletions that another process started and did not finish. */
const RESUME_MS = 10 * 60_000;

/**
 * Deletes campaigns together with their coupons, of which there may be a million.
 *
 * First, one short transaction marks the campaign and records the deletion. From then on no request finds the campaign, and
 * nothing can be added to it. Then its coupons are deleted in batches. Each batch is a transaction, with pauses in
 * between for other work. The last batch deletes the campaign.
 *
 * If the process dies meanwhile, the mark stays. The same request continues where the deletion stopped, and so does
 * every process at its start and every few minutes. Until everything is deleted, the codes of the coupons stay taken in
 * the Application, and the Application cannot be deleted.
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

  /** Deletes a campaign and everything in it. Resolves when all is deleted. Throws `campaign-not-found`. */
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

  /** Finishes deletions that this process or another one started. */
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

  /** Marks a campaign and records its deletion, unless another request has already done so. */
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
        throw new Problem(
          'shutting-down',
          'The campaign is deleted, some of its coupons are not: repeat the request to continue.',
        );
      }
      const more = await this.deleteSomeCoupons(campaignId);
      if (!more && (await this.deleteEmptyCampaign(campaignId))) {
        return;
      }
    }
  }

  /** Deletes one batch. Returns whether there may be more coupons. */
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

  /** Returns false if there is still a coupon, from a request that found the campaign before it was marked. */
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
