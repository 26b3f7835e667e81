import { IntersectionType } from '@nestjs/swagger';
import { IsIn, IsInt, IsString, Matches, Max, Min, ValidateBy, type ValidationArguments } from 'class-validator';
import { ID_MAX } from '../../input/id.pipe.js';
import { MaxLength } from '../../input/fields/length.js';
import { IfPresent } from '../../input/fields/presence.js';
import { PageQuery } from '../../input/paging.js';
import { IsTime } from '../../input/fields/rfc3339.js';
import { sortsOf } from '../../input/sorting.js';
import { WholeNumber } from '../../input/fields/whole-number.js';
import { CAMPAIGN_STATE_FILTERS, type CampaignStateFilter } from '../campaigns/frontend-state.js';

const COUPON_VALIDITIES = ['expired', 'validNow', 'validFuture'] as const;
export type CouponValidity = (typeof COUPON_VALIDITIES)[number];
/** What the list can be sorted by. */
const COUPON_SORTS = sortsOf('id');
export type CouponSort = (typeof COUPON_SORTS)[number];
export const YES_OR_NO = ['true', 'false'] as const;
export type YesOrNo = (typeof YES_OR_NO)[number];

/** A program that has lost the code which it means would otherwise find, or delete, every coupon. */
const NeedsValue = (): PropertyDecorator =>
  ValidateBy({
    name: 'needsValue',
    validator: {
      validate: (exactMatch, args) => exactMatch !== 'true' || (args as FilterArguments).object.value !== undefined,
      defaultMessage: () => 'exactMatch needs a value',
    },
  });
type FilterArguments = ValidationArguments & { object: CouponFilters };

/** Which coupons are meant. Times are compared strictly: what is at that very moment is neither before nor after. */
export class CouponFilters {
  /** Only coupons whose code contains this; with `exactMatch=true`, is this. Codes are compared exactly: case counts.
   * @example "SUMMER-7" */
  @IfPresent()
  @IsString()
  @Matches(/^.{1,100}$/su, { message: 'value must have 1 to 100 characters' })
  value?: string;

  /** Whether `value` is a whole code, and not a part of one.
   * @example "true" */
  @IfPresent()
  @IsIn(YES_OR_NO)
  @NeedsValue()
  exactMatch?: YesOrNo;

  /** Only coupons made before this RFC 3339 time.
   * @example "2026-12-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  createdBefore?: string;

  /** Only coupons made after this RFC 3339 time.
   * @example "2026-11-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  createdAfter?: string;

  /** Only coupons that have a start, before this RFC 3339 time.
   * @example "2027-06-02T00:00:00Z" */
  @IfPresent()
  @IsTime()
  startsBefore?: string;

  /** Only coupons that have a start, after this RFC 3339 time.
   * @example "2027-05-31T00:00:00Z" */
  @IfPresent()
  @IsTime()
  startsAfter?: string;

  /** Only coupons that expire, before this RFC 3339 time.
   * @example "2027-07-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  expiresBefore?: string;

  /** Only coupons that expire, after this RFC 3339 time.
   * @example "2027-06-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  expiresAfter?: string;

  /** Only coupons that are `expired` by now, that are valid by their dates now, or that only will be.
   * @example "validNow" */
  @IfPresent()
  @IsIn(COUPON_VALIDITIES)
  valid?: CouponValidity;

  /** Only coupons that can (`true`) or cannot (`false`) be redeemed once more by their `usageLimit`.
   * @example "true" */
  @IfPresent()
  @IsIn(YES_OR_NO)
  usable?: YesOrNo;

  /** Only coupons that were (`true`) or were not (`false`) redeemed at least once.
   * @example "false" */
  @IfPresent()
  @IsIn(YES_OR_NO)
  redeemed?: YesOrNo;

  /** Only coupons that were made together: by one import, or by one request.
   * @example "5f0c4a3e-9d3b-4b57-8a35-9f4cf0f3a8a1" */
  @IfPresent()
  @IsString()
  @MaxLength(100)
  batchId?: string;

  /** Only coupons of the recipient with this integration id, compared exactly.
   * @example "customer-1093" */
  @IfPresent()
  @IsString()
  @Matches(/^.{1,255}$/su, { message: 'recipientIntegrationId must have 1 to 255 characters' })
  recipientIntegrationId?: string;

  /** Only coupons made by a referral: there are no referrals here, so there are none.
   * @example 5 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  referralId?: number;
}

/** What of each coupon is wanted. */
export class CouponParts {
  /** With `true`, nothing but the codes is answered.
   * @example "false" */
  @IfPresent()
  @IsIn(YES_OR_NO)
  valuesOnly?: YesOrNo;

  /** In which order: `id` is the order in which they were made, so that paging through it neither repeats nor skips any
   * while others are made; with `-id`, the newest first, fix the end with `createdBefore`.
   * @example "-id" */
  @IfPresent()
  @IsIn(COUPON_SORTS)
  sort: CouponSort = 'id';
}

/** Which coupons of a campaign to list. */
export class CouponQuery extends IntersectionType(CouponFilters, CouponParts, PageQuery) {}

/** Which coupons of an Application to export. The order is by campaign, and in each by coupon. */
export class CouponExportQuery extends IntersectionType(CouponFilters, CouponParts) {
  /** Only coupons of this campaign.
   * @example 7 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  campaignId?: number;

  /** Only coupons of campaigns in this state; see the list of campaigns.
   * @example "running" */
  @IfPresent()
  @IsIn(CAMPAIGN_STATE_FILTERS)
  campaignState?: CampaignStateFilter;

  /** How dates are written; there is only one way, which can be imported again.
   * @example "ISO8601" */
  @IfPresent()
  @IsIn(['ISO8601'])
  dateFormat?: 'ISO8601';
}
