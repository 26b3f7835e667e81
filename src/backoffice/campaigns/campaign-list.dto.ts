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

/** What the list can be sorted by. */
const CAMPAIGN_SORTS = sortsOf('id', 'name', 'created', 'updated', 'startTime', 'endTime');

/** Which campaigns to list. Times are compared strictly: what happened at that very moment is neither before nor after. */
export class CampaignQuery extends PageQuery {
  /** The order of the list, `-` in front for descending; what is equal in it is ordered by id. A time that was never
   * given comes before all others.
   * @example "-created" */
  @IfPresent()
  @IsIn(CAMPAIGN_SORTS)
  sort: (typeof CAMPAIGN_SORTS)[number] = 'id';

  /** Only campaigns in this state: `enabled` is those that run, will run or have run; the others are what
   * `frontendState` shows. There are no drafts here.
   * @example "running" */
  @IfPresent()
  @IsIn(CAMPAIGN_STATE_FILTERS)
  campaignState?: CampaignStateFilter;

  /** Only campaigns whose name contains this, ignoring case. With `tags`, either may match.
   * @example "summer" */
  @IfPresent()
  @IsString()
  @Length(1, 255)
  @IsOneLine()
  name?: string;

  /** Only campaigns that have a tag which contains this, ignoring case. With `name`, either may match.
   * @example "newsletter" */
  @IfPresent()
  @IsString()
  @Length(1, 50)
  @IsOneLine()
  tags?: string;

  /** Only campaigns made before this RFC 3339 time.
   * @example "2026-12-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  createdBefore?: string;

  /** Only campaigns made after this RFC 3339 time.
   * @example "2026-11-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  createdAfter?: string;

  /** Only campaigns that have a start time, before this RFC 3339 time.
   * @example "2027-07-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  startBefore?: string;

  /** Only campaigns that have a start time, after this RFC 3339 time.
   * @example "2027-05-31T00:00:00Z" */
  @IfPresent()
  @IsTime()
  startAfter?: string;

  /** Only campaigns that have an end time, before this RFC 3339 time.
   * @example "2027-08-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  endBefore?: string;

  /** Only campaigns that have an end time, after this RFC 3339 time.
   * @example "2027-06-30T00:00:00Z" */
  @IfPresent()
  @IsTime()
  endAfter?: string;

  /** Only campaigns of this group: there are no campaign groups here, so there are none.
   * @example 5 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  campaignGroupId?: number;

  /** Only campaigns made from this template: there are no templates here, so there are none.
   * @example 5 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  templateId?: number;
}
