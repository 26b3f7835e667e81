/** What a campaign does at a moment. */
export const FRONTEND_STATES = ['expired', 'scheduled', 'running', 'disabled', 'archived'] as const;
export type FrontendState = (typeof FRONTEND_STATES)[number];

/**
 * What lists can be narrowed to: `enabled` is everything that was neither disabled nor archived, whatever the time; `draft`,
 * which programs of Talon.One may ask for, is nothing.
 */
export const CAMPAIGN_STATE_FILTERS = ['enabled', ...FRONTEND_STATES, 'draft'] as const;
export type CampaignStateFilter = (typeof CAMPAIGN_STATE_FILTERS)[number];

/**
 * What a campaign does at the moment `:now`: the one place that says so, in SQL, so that lists filter, count and page by
 * exactly what they show. A campaign runs from its start on, until just before its end.
 */
export const FRONTEND_STATE_SQL = `CASE
  WHEN campaign.state <> 'enabled' THEN campaign.state
  WHEN campaign.end_time IS NOT NULL AND campaign.end_time <= :now THEN 'expired'
  WHEN campaign.start_time IS NOT NULL AND campaign.start_time > :now THEN 'scheduled'
  ELSE 'running' END`;
