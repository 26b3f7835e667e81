import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In } from 'typeorm';
import type { Caller } from '../../access/caller.js';
import { Transactions } from '../../authority/transactions.js';
import { differs } from '../../audit/differs.js';
import { Clock } from '../../config/clock.js';
import { forUpdate } from '../../database/transactions/locking.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import type { Scan } from '../../database/reading/scan-turns.js';
import { Problem } from '../../problems/problem.js';
import { CampaignsService } from '../campaigns/campaigns.service.js';
import { selectCoupons } from './coupon-selection.js';
import { refuseWrongDates, termsOf } from './coupon-terms.js';
import { couponView } from './coupon-view.js';
import { findPage } from './coupon-walk.js';
import { Coupon } from './coupon.entity.js';
import type { CouponQuery } from './coupon-filters.dto.js';
import type { CouponPage, CouponUpdate, CouponView } from './coupons.dto.js';

/** The Application and campaign of coupons. */
export interface CouponPlace {
  applicationId: number;
  campaignId: number;
}

/** Lists, changes and deletes single coupons. */
@Injectable()
export class CouponsService {
  constructor(
    @InjectRepository(Coupon) private readonly coupons: ReadRepository<Coupon>,
    private readonly campaigns: CampaignsService,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Returns one page of the coupons of a campaign. Throws `campaign-not-found`. */
  async list(place: CouponPlace, query: CouponQuery, scan: Scan): Promise<CouponPage> {
    await this.campaigns.get(place.applicationId, place.campaignId);
    const selection = selectCoupons(place, query, this.clock.now());
    const direction = query.sort === 'id' ? 'ascending' : 'descending';
    const take = query.pageSize + 1;
    const source = { coupons: this.coupons, scan };
    const ids = await findPage(source, selection, { skip: query.skip, take, direction });
    const coupons = await scan.inTurn(() =>
      this.coupons.find({
        where: { id: In(ids.slice(0, query.pageSize)) },
        order: { id: direction === 'ascending' ? 'ASC' : 'DESC' },
      }),
    );
    const views = coupons.map(couponView);
    return {
      hasMore: ids.length === take,
      data: query.valuesOnly === 'true' ? views.map(({ value }) => ({ value })) : views,
    };
  }

  /** Changes a coupon. Throws `campaign-not-found` and `coupon-not-found`. */
  async update(caller: Caller, place: CouponPlace, couponId: number, request: CouponUpdate): Promise<CouponView> {
    return this.transactions.write(caller, async (write) => {
      const { tx } = write;
      const before = await this.hold(tx, place, couponId);
      const terms = termsOf(request);
      const after = { ...before, ...terms };
      refuseWrongDates(after);
      if (differs(before, terms)) {
        await tx.update(Coupon, { id: couponId }, terms);
        const entity = entityOf('PUT', place, couponId);
        const { applicationId } = place;
        const [old, changed] = [couponView(before), couponView(after)];
        write.record({ entity, applicationId, old: { ...old }, new: { ...changed } });
      }
      return couponView(after);
    });
  }

  /** Deletes a coupon. Throws `campaign-not-found` and `coupon-not-found`. */
  async delete(caller: Caller, place: CouponPlace, couponId: number): Promise<void> {
    await this.transactions.write(caller, async (write) => {
      const { tx } = write;
      const before = await this.hold(tx, place, couponId);
      await tx.delete(Coupon, { id: couponId });
      const entity = entityOf('DELETE', place, couponId);
      const { applicationId } = place;
      write.record({ entity, applicationId, old: { ...couponView(before) } });
    });
  }

  private async hold(tx: EntityManager, { applicationId, campaignId }: CouponPlace, id: number): Promise<Coupon> {
    await this.campaigns.hold(tx, applicationId, campaignId);
    const coupon = await tx.findOne(Coupon, { where: { id, campaignId }, ...forUpdate(tx) });
    if (!coupon) {
      throw new Problem('coupon-not-found', `There is no coupon ${id} in campaign ${campaignId}.`);
    }
    return coupon;
  }
}

function entityOf(method: string, { applicationId, campaignId }: CouponPlace, couponId: number): string {
  return `${method} /v1/applications/${applicationId}/campaigns/${campaignId}/coupons/${couponId}`;
}
