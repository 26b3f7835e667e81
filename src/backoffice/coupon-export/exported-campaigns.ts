import type { ReadRepository } from '../../database/reading/read-repository.js';
import { narrowByState } from '../campaigns/campaign-reading.js';
import type { Campaign } from '../campaigns/campaign.entity.js';
import type { CouponExportQuery } from '../coupons/coupon-filters.dto.js';

/** Finds the ids of the campaigns whose coupons an export contains, in ascending order. */
export async function findExportedCampaigns(
  campaigns: ReadRepository<Campaign>,
  applicationId: number,
  { campaignId, campaignState }: Pick<CouponExportQuery, 'campaignId' | 'campaignState'>,
  now: number,
): Promise<number[]> {
  const find = campaigns
    .createQueryBuilder('campaign')
    .select('campaign.id', 'id')
    .where('campaign.applicationId = :applicationId AND campaign.beingDeleted = :no', { applicationId, no: false })
    .orderBy('campaign.id', 'ASC');
  if (campaignId !== undefined) {
    find.andWhere('campaign.id = :campaignId', { campaignId });
  }
  narrowByState(find, campaignState, now);
  const rows = await find.getRawMany<{ id: number }>();
  return rows.map((row) => row.id);
}
