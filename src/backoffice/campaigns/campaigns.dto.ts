import { ApiHideProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsNumber,
  IsObject,
  IsString,
  Min,
  ValidateNested,
} from 'class-validator';
import { FoldsWithin } from '../../database/fold.js';
import { Decimal } from '../../input/fields/decimal.js';
import { IsJsonObject } from '../../input/fields/json-object.js';
import { Length, MaxLength } from '../../input/fields/length.js';
import { IsOneLine } from '../../input/fields/one-line.js';
import { IfGiven, IfPresent } from '../../input/fields/presence.js';
import { IsTime } from '../../input/fields/rfc3339.js';
import { Trimmed } from '../../input/fields/trimmed.js';
import { MustBeEmpty } from '../../input/fields/must-be-empty.js';
import { CAMPAIGN_FEATURES, CAMPAIGN_STATES, type CampaignFeature, type CampaignState } from './campaign.entity.js';
import type { FrontendState } from './frontend-state.js';

export const LIMIT_PERIODS = ['daily', 'weekly', 'monthly', 'yearly'] as const;
export type LimitPeriod = (typeof LIMIT_PERIODS)[number];
export const LIMIT_ENTITIES = ['Coupon', 'Referral', 'Profile', 'Identifier'] as const;
export type LimitEntity = (typeof LIMIT_ENTITIES)[number];

/** A limit of a campaign. */
export class CampaignLimit {
  /** What is limited.
   * @example "redeemCoupon" */
  @IsString()
  @Length(1, 100)
  action: string;

  /** The maximum.
   * @example 1000 */
  @IsNumber()
  @Decimal()
  @Min(0)
  limit: number;

  /** The period in which the limit applies. Default: for ever.
   * @example "monthly" */
  @IfPresent()
  @IsIn(LIMIT_PERIODS)
  period?: LimitPeriod;

  /** For which entities the limit applies, each separately. If empty, it applies to the whole campaign.
   * @example ["Profile"] */
  @IsArray()
  @ArrayMaxSize(LIMIT_ENTITIES.length)
  @ArrayUnique()
  @IsIn(LIMIT_ENTITIES, { each: true })
  entities: LimitEntity[];
}

/** The fields of a campaign. An update keeps the fields that it does not name. */
export class CampaignRequest {
  /** The name, 1 to 255 characters on one line.
   * @example "Summer sale" */
  @Trimmed()
  @IsString()
  @Length(1, 255)
  @FoldsWithin(1020)
  @IsOneLine()
  name: string;

  /** The purpose of the campaign.
   * @example "10 % off everything in June" */
  @IfPresent()
  @IsString()
  @MaxLength(10_000)
  description?: string;

  /** When the campaign starts, an RFC 3339 time; null or absent: it has no start.
   * @example "2027-06-01T00:00:00Z" */
  @IfGiven()
  @IsTime()
  startTime?: string | null;

  /** The first moment at which the campaign no longer runs, an RFC 3339 time after `startTime`; null or absent: it
   * never ends.
   * @example "2027-07-01T00:00:00Z" */
  @IfGiven()
  @IsTime()
  endTime?: string | null;

  /** Any other data, as a JSON object.
   * @example {"channel": "newsletter"} */
  @IfPresent()
  @IsJsonObject()
  attributes?: Record<string, unknown>;

  /** The state. A disabled or archived campaign does not run. A new campaign is enabled by default.
   * @example "enabled" */
  @IfPresent()
  @IsIn(CAMPAIGN_STATES)
  state?: CampaignState;

  /** Words for searching, up to 50 of 1 to 50 characters.
   * @example ["summer", "newsletter"] */
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(50)
  @ArrayUnique()
  @IsString({ each: true })
  @Length(1, 50, { each: true })
  @IsOneLine({ each: true })
  tags?: string[];

  /** Whether the rules are evaluated again when a customer's session is returned.
   * @example false */
  @IfPresent()
  @IsBoolean()
  reevaluateOnReturn?: boolean;

  /** The features that the campaign uses.
   * @example ["coupons"] */
  @IfPresent()
  @IsArray()
  @ArrayUnique()
  @IsIn(CAMPAIGN_FEATURES, { each: true })
  features?: CampaignFeature[];

  /** The limits of the campaign.
   * @example [{"action": "redeemCoupon", "limit": 1000, "entities": []}] */
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(100)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => CampaignLimit)
  limits?: CampaignLimit[];

  /** There are no campaign groups here: programs may send this field only empty. */
  @ApiHideProperty()
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(0)
  campaignGroups?: number[];

  /** There are no stores here: programs may send this field only empty. */
  @ApiHideProperty()
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(0)
  linkedStoreIds?: number[];

  /** There is only one type: programs may send it. */
  @ApiHideProperty()
  @IfPresent()
  @IsIn(['advanced'])
  type?: 'advanced';

  @ApiHideProperty()
  @MustBeEmpty()
  activeRulesetId?: unknown;

  @ApiHideProperty()
  @MustBeEmpty()
  couponSettings?: unknown;

  @ApiHideProperty()
  @MustBeEmpty()
  referralSettings?: unknown;
}

/** A promotion of one Application. */
export class CampaignView {
  /** The id, which is never used again.
   * @example 7 */
  id: number;

  /** When the campaign was created.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** The Application of the campaign.
   * @example 1 */
  applicationId: number;

  /** The user who created the campaign. For a campaign created by a key, the creator of the key.
   * @example 280 */
  userId: number;

  /** The name.
   * @example "Summer sale" */
  name: string;

  /** The purpose of the campaign.
   * @example "10 % off everything in June" */
  description: string;

  /** When the campaign starts; null: it has no start.
   * @example "2027-06-01T00:00:00.000Z" */
  startTime: string | null;

  /** The first moment at which the campaign no longer runs; null: it never ends.
   * @example "2027-07-01T00:00:00.000Z" */
  endTime: string | null;

  /** Any other data.
   * @example {"channel": "newsletter"} */
  attributes: Record<string, unknown>;

  /** The state that was set.
   * @example "enabled" */
  state: CampaignState;

  /** Words for searching.
   * @example ["summer", "newsletter"] */
  tags: string[];

  /** Whether the rules are evaluated again when a customer's session is returned.
   * @example false */
  reevaluateOnReturn: boolean;

  /** The features that the campaign uses.
   * @example ["coupons"] */
  features: CampaignFeature[];

  /** The limits of the campaign.
   * @example [{"action": "redeemCoupon", "limit": 1000, "entities": []}] */
  limits: CampaignLimit[];

  /** Always empty: there are no campaign groups here.
   * @example [] */
  campaignGroups: number[];

  /** Always `advanced`.
   * @example "advanced" */
  type: 'advanced';

  /** Always empty: there are no stores here.
   * @example [] */
  linkedStoreIds: number[];

  /** Always empty: there are no budgets here.
   * @example [] */
  budgets: string[];

  /** The state at this moment, from `state` and the times. The campaign runs from `startTime` until just before
   * `endTime`.
   * @example "scheduled" */
  frontendState: FrontendState;

  /** Always false: there are no stores here.
   * @example false */
  storesImported: boolean;

  /** The id, as text, of the user who created the campaign. `GET /v1/users/{userId}` returns the name, which can change
   * or be deleted.
   * @example "280" */
  createdBy: string;

  /** When the campaign was last changed.
   * @example "2026-11-23T12:00:00.000Z" */
  updated: string;

  /** The id, as text, of the user who last changed the campaign.
   * @example "280" */
  updatedBy: string;
}

/** One page of campaigns. */
export class CampaignPage {
  /** The total number of campaigns that match.
   * @example 1 */
  totalResultSize: number;

  /** The campaigns of this page. */
  data: CampaignView[];
}
