import { toRfc3339 } from '../../database/times.js';
import type { Campaign } from './campaign.entity.js';
import type { CampaignView } from './campaigns.dto.js';
import type { FrontendState } from './frontend-state.js';

/** A campaign, and its state at the moment when it was read. */
export interface CampaignNow {
  campaign: Campaign;
  frontendState: FrontendState;
}

/** Returns a campaign as the API shows it. */
export function campaignView({ campaign, frontendState }: CampaignNow): CampaignView {
  return {
    id: campaign.id,
    created: toRfc3339(campaign.created),
    applicationId: campaign.applicationId,
    userId: campaign.userId,
    name: campaign.name,
    description: campaign.description,
    startTime: campaign.startTime === null ? null : toRfc3339(campaign.startTime),
    endTime: campaign.endTime === null ? null : toRfc3339(campaign.endTime),
    attributes: { ...campaign.attributes },
    state: campaign.state,
    tags: campaign.tags,
    reevaluateOnReturn: campaign.reevaluateOnReturn,
    features: campaign.features,
    limits: campaign.limits,
    campaignGroups: [],
    type: 'advanced',
    linkedStoreIds: [],
    budgets: [],
    frontendState,
    storesImported: false,
    createdBy: String(campaign.userId),
    updated: toRfc3339(campaign.updated),
    updatedBy: String(campaign.updatedBy),
  };
}
