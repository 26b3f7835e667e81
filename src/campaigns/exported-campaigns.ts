import type { ReadRepository } from '../database/read-repository.js';
import type { Campaign } from './campaign.entity.js';
import type { CouponExportQuery } from './coupon-filters.dto.js';
import { FRONTEND_STATE_SQL } from './frontend-state.js';

/** The ids of the campaigns whose coupons an export has, ascending. */
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
  if (campaignState === 'enabled') {
    find.andWhere('campaign.state = :campaignState', { campaignState });
  } else if (campaignState !== undefined) {
    find.andWhere(`${FRONTEND_STATE_SQL} = :campaignState`, { campaignState, now });
  }
  const rows = await find.getRawMany<{ id: number }>();
  return rows.map((row) => row.id);
}
