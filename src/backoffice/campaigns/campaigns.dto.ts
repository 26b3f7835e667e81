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

const LIMIT_PERIODS = ['daily', 'weekly', 'monthly', 'yearly'] as const;
export type LimitPeriod = (typeof LIMIT_PERIODS)[number];
const LIMIT_ENTITIES = ['Coupon', 'Referral', 'Profile', 'Identifier'] as const;
export type LimitEntity = (typeof LIMIT_ENTITIES)[number];

/** How much of something a campaign may give away. */
export class CampaignLimit {
  /** What is limited.
   * @example "redeemCoupon" */
  @IsString()
  @Length(1, 100)
  action: string;

  /** How much of it there may be.
   * @example 1000 */
  @IsNumber()
  @Decimal()
  @Min(0)
  limit: number;

  /** The period that the limit is counted in; for ever if it is left out.
   * @example "monthly" */
  @IfPresent()
  @IsIn(LIMIT_PERIODS)
  period?: LimitPeriod;

  /** What the limit is counted for, each on its own; for the whole campaign if it is empty.
   * @example ["Profile"] */
  @IsArray()
  @ArrayMaxSize(LIMIT_ENTITIES.length)
  @ArrayUnique()
  @IsIn(LIMIT_ENTITIES, { each: true })
  entities: LimitEntity[];
}

/** What a campaign is to be. An update leaves as it is what it does not name. */
export class CampaignRequest {
  /** What people call it, 1 to 255 characters on one line.
   * @example "Summer sale" */
  @Trimmed()
  @IsString()
  @Length(1, 255)
  @FoldsWithin(1020)
  @IsOneLine()
  name: string;

  /** What it is for.
   * @example "10 % off everything in June" */
  @IfPresent()
  @IsString()
  @MaxLength(10_000)
  description?: string;

  /** When it begins to run, an RFC 3339 time; null or never given: it always has.
   * @example "2027-06-01T00:00:00Z" */
  @IfGiven()
  @IsTime()
  startTime?: string | null;

  /** The first moment at which it no longer runs, an RFC 3339 time after `startTime`; null or never given: it never ends.
   * @example "2027-07-01T00:00:00Z" */
  @IfGiven()
  @IsTime()
  endTime?: string | null;

  /** Whatever else is to be kept with it, a JSON object.
   * @example {"channel": "newsletter"} */
  @IfPresent()
  @IsJsonObject()
  attributes?: Record<string, unknown>;

  /** A disabled or archived campaign does not run; a new one is enabled if nothing is said.
   * @example "enabled" */
  @IfPresent()
  @IsIn(CAMPAIGN_STATES)
  state?: CampaignState;

  /** Words to find it by, up to 50 of 1 to 50 characters.
   * @example ["summer", "newsletter"] */
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(50)
  @ArrayUnique()
  @IsString({ each: true })
  @Length(1, 50, { each: true })
  @IsOneLine({ each: true })
  tags?: string[];

  /** Whether its rules are evaluated again when a customer's session is returned.
   * @example false */
  @IfPresent()
  @IsBoolean()
  reevaluateOnReturn?: boolean;

  /** What it makes use of.
   * @example ["coupons"] */
  @IfPresent()
  @IsArray()
  @ArrayUnique()
  @IsIn(CAMPAIGN_FEATURES, { each: true })
  features?: CampaignFeature[];

  /** How much it may give away.
   * @example [{"action": "redeemCoupon", "limit": 1000, "entities": []}] */
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(100)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => CampaignLimit)
  limits?: CampaignLimit[];

  /** There are no campaign groups here: programs may send it, but only empty. */
  @ApiHideProperty()
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(0)
  campaignGroups?: number[];

  /** There are no stores here: programs may send it, but only empty. */
  @ApiHideProperty()
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(0)
  linkedStoreIds?: number[];

  /** There is only one type: programs may say so. */
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
  /** Given out once and never again.
   * @example 7 */
  id: number;

  /** When it was made.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** The Application that it belongs to.
   * @example 1 */
  applicationId: number;

  /** The user who made it; for one made with a key, the creator of the key.
   * @example 280 */
  userId: number;

  /** What people call it.
   * @example "Summer sale" */
  name: string;

  /** What it is for.
   * @example "10 % off everything in June" */
  description: string;

  /** When it begins to run; null: it always has.
   * @example "2027-06-01T00:00:00.000Z" */
  startTime: string | null;

  /** The first moment at which it no longer runs; null: it never ends.
   * @example "2027-07-01T00:00:00.000Z" */
  endTime: string | null;

  /** Whatever else is kept with it.
   * @example {"channel": "newsletter"} */
  attributes: Record<string, unknown>;

  /** What was decided about it.
   * @example "enabled" */
  state: CampaignState;

  /** Words to find it by.
   * @example ["summer", "newsletter"] */
  tags: string[];

  /** Whether its rules are evaluated again when a customer's session is returned.
   * @example false */
  reevaluateOnReturn: boolean;

  /** What it makes use of.
   * @example ["coupons"] */
  features: CampaignFeature[];

  /** How much it may give away.
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

  /** What it does at this moment, by its state and times: it runs from `startTime` on, until just before `endTime`.
   * @example "scheduled" */
  frontendState: FrontendState;

  /** Always false: there are no stores here.
   * @example false */
  storesImported: boolean;

  /** The id, as text, of the user who made it. Names can change and be erased: `GET /v1/users/{userId}` has them.
   * @example "280" */
  createdBy: string;

  /** When it was changed last.
   * @example "2026-11-23T12:00:00.000Z" */
  updated: string;

  /** The id, as text, of the user who changed it last.
   * @example "280" */
  updatedBy: string;
}

/** One page of campaigns. */
export class CampaignPage {
  /** How many campaigns there are in all, on this and all other pages.
   * @example 1 */
  totalResultSize: number;

  /** The campaigns of this page. */
  data: CampaignView[];
}
