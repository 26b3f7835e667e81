/** The states of a campaign at a moment. */
export const FRONTEND_STATES = ['expired', 'scheduled', 'running', 'disabled', 'archived'] as const;
export type FrontendState = (typeof FRONTEND_STATES)[number];

/**
 * The states for filters. `enabled` means neither disabled nor archived, whatever the time. `draft` exists because
 * programs of Talon.One may ask for it, and matches nothing.
 */
export const CAMPAIGN_STATE_FILTERS = ['enabled', ...FRONTEND_STATES, 'draft'] as const;
export type CampaignStateFilter = (typeof CAMPAIGN_STATE_FILTERS)[number];

/**
 * The state of a campaign at the moment `:now`. This SQL is the only definition, so that lists filter, count and page
 * by exactly what they show. A campaign runs from its start until just before its end.
 */
export const FRONTEND_STATE_SQL = `CASE
  WHEN campaign.state <> 'enabled' THEN campaign.state
  WHEN campaign.end_time IS NOT NULL AND campaign.end_time <= :now THEN 'expired'
  WHEN campaign.start_time IS NOT NULL AND campaign.start_time > :now THEN 'scheduled'
  ELSE 'running' END`;
