import { IsIn, IsInt, IsString, Max, Min } from 'class-validator';
import { ID_MAX } from '../../input/id.pipe.js';
import { Length } from '../../input/fields/length.js';
import { IsOneLine } from '../../input/fields/one-line.js';
import { IfPresent } from '../../input/fields/presence.js';
import { PageQuery } from '../../input/paging.js';
import { IsTime } from '../../input/fields/rfc3339.js';
import { sortsOf } from '../../input/sorting.js';
import { WholeNumber } from '../../input/fields/whole-number.js';
import { CAMPAIGN_STATE_FILTERS, type CampaignStateFilter } from './frontend-state.js';

/** The orders of the list. */
const CAMPAIGN_SORTS = sortsOf('id', 'name', 'created', 'updated', 'startTime', 'endTime');

/**
 * The query for the list of campaigns. Times are compared strictly: exactly the given time matches neither before nor
 * after.
 */
export class CampaignQuery extends PageQuery {
  /** The order of the list, with `-` in front for descending. Equal campaigns are ordered by id. A missing time comes
   * before all others.
   * @example "-created" */
  @IfPresent()
  @IsIn(CAMPAIGN_SORTS)
  sort: (typeof CAMPAIGN_SORTS)[number] = 'id';

  /** Only campaigns in this state. `enabled` means running, scheduled or expired. The other values are those of
   * `frontendState`. There are no drafts here.
   * @example "running" */
  @IfPresent()
  @IsIn(CAMPAIGN_STATE_FILTERS)
  campaignState?: CampaignStateFilter;

  /** Only campaigns whose name contains this text, ignoring case. With `tags`, either may match.
   * @example "summer" */
  @IfPresent()
  @IsString()
  @Length(1, 255)
  @IsOneLine()
  name?: string;

  /** Only campaigns that have a tag which contains this text, ignoring case. With `name`, either may match.
   * @example "newsletter" */
  @IfPresent()
  @IsString()
  @Length(1, 50)
  @IsOneLine()
  tags?: string;

  /** Only campaigns that were created before this RFC 3339 time.
   * @example "2026-12-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  createdBefore?: string;

  /** Only campaigns that were created after this RFC 3339 time.
   * @example "2026-11-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  createdAfter?: string;

  /** Only campaigns with a start time before this RFC 3339 time.
   * @example "2027-07-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  startBefore?: string;

  /** Only campaigns with a start time after this RFC 3339 time.
   * @example "2027-05-31T00:00:00Z" */
  @IfPresent()
  @IsTime()
  startAfter?: string;

  /** Only campaigns with an end time before this RFC 3339 time.
   * @example "2027-08-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  endBefore?: string;

  /** Only campaigns with an end time after this RFC 3339 time.
   * @example "2027-06-30T00:00:00Z" */
  @IfPresent()
  @IsTime()
  endAfter?: string;

  /** Only campaigns of this group. There are no campaign groups here, so the result is empty.
   * @example 5 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  campaignGroupId?: number;

  /** Only campaigns of this template. There are no templates here, so the result is empty.
   * @example 5 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  templateId?: number;
}
