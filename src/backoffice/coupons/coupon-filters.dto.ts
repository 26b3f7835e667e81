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
/** The orders of the list. */
const COUPON_SORTS = sortsOf('id');
export type CouponSort = (typeof COUPON_SORTS)[number];
export const YES_OR_NO = ['true', 'false'] as const;
export type YesOrNo = (typeof YES_OR_NO)[number];

/** Requires a value. Without it, a program that has lost the code would find, or delete, every coupon. */
const NeedsValue = (): PropertyDecorator =>
  ValidateBy({
    name: 'needsValue',
    validator: {
      validate: (exactMatch, args) => exactMatch !== 'true' || (args as FilterArguments).object.value !== undefined,
      defaultMessage: () => 'exactMatch needs a value',
    },
  });
type FilterArguments = ValidationArguments & { object: CouponFilters };

/** The filters for coupons. Times are compared strictly: exactly the given time matches neither before nor after. */
export class CouponFilters {
  /** Only coupons whose code contains this text, or, with `exactMatch=true`, equals it. The comparison is exact,
   * including case.
   * @example "SUMMER-7" */
  @IfPresent()
  @IsString()
  @Matches(/^.{1,100}$/su, { message: 'value must have 1 to 100 characters' })
  value?: string;

  /** Whether `value` is a whole code instead of a part of one.
   * @example "true" */
  @IfPresent()
  @IsIn(YES_OR_NO)
  @NeedsValue()
  exactMatch?: YesOrNo;

  /** Only coupons that were created before this RFC 3339 time.
   * @example "2026-12-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  createdBefore?: string;

  /** Only coupons that were created after this RFC 3339 time.
   * @example "2026-11-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  createdAfter?: string;

  /** Only coupons with a start date before this RFC 3339 time.
   * @example "2027-06-02T00:00:00Z" */
  @IfPresent()
  @IsTime()
  startsBefore?: string;

  /** Only coupons with a start date after this RFC 3339 time.
   * @example "2027-05-31T00:00:00Z" */
  @IfPresent()
  @IsTime()
  startsAfter?: string;

  /** Only coupons with an expiry date before this RFC 3339 time.
   * @example "2027-07-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  expiresBefore?: string;

  /** Only coupons with an expiry date after this RFC 3339 time.
   * @example "2027-06-01T00:00:00Z" */
  @IfPresent()
  @IsTime()
  expiresAfter?: string;

  /** Only coupons that, by their dates, are `expired`, are valid now, or will be valid in the future.
   * @example "validNow" */
  @IfPresent()
  @IsIn(COUPON_VALIDITIES)
  valid?: CouponValidity;

  /** Only coupons that can (`true`) or cannot (`false`) be redeemed again by their `usageLimit`.
   * @example "true" */
  @IfPresent()
  @IsIn(YES_OR_NO)
  usable?: YesOrNo;

  /** Only coupons that were (`true`) or were not (`false`) redeemed at least once.
   * @example "false" */
  @IfPresent()
  @IsIn(YES_OR_NO)
  redeemed?: YesOrNo;

  /** Only coupons that were created together, by one import or one request.
   * @example "5f0c4a3e-9d3b-4b57-8a35-9f4cf0f3a8a1" */
  @IfPresent()
  @IsString()
  @MaxLength(100)
  batchId?: string;

  /** Only coupons of the recipient with exactly this integration id.
   * @example "customer-1093" */
  @IfPresent()
  @IsString()
  @Matches(/^.{1,255}$/su, { message: 'recipientIntegrationId must have 1 to 255 characters' })
  recipientIntegrationId?: string;

  /** Only coupons of this referral. There are no referrals here, so the result is empty.
   * @example 5 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  referralId?: number;
}

/** Which fields of the coupons to return, and in which order. */
export class CouponParts {
  /** With `true`, the response contains only the codes.
   * @example "false" */
  @IfPresent()
  @IsIn(YES_OR_NO)
  valuesOnly?: YesOrNo;

  /** The order of the list. `id` is the order of creation, so that paging neither repeats nor skips coupons while
   * others are created. With `-id`, the newest first, fix the end with `createdBefore`.
   * @example "-id" */
  @IfPresent()
  @IsIn(COUPON_SORTS)
  sort: CouponSort = 'id';
}

/** The query for the list of coupons. */
export class CouponQuery extends IntersectionType(CouponFilters, CouponParts, PageQuery) {}

/** The query for an export of coupons. The order is by campaign, then by coupon. */
export class CouponExportQuery extends IntersectionType(CouponFilters, CouponParts) {
  /** Only coupons of this campaign.
   * @example 7 */
  @IfPresent()
  @WholeNumber()
  @IsInt()
  @Min(1)
  @Max(ID_MAX)
  campaignId?: number;

  /** Only coupons of campaigns in this state. The values are those of the list of campaigns.
   * @example "running" */
  @IfPresent()
  @IsIn(CAMPAIGN_STATE_FILTERS)
  campaignState?: CampaignStateFilter;

  /** The format of dates. There is only one format, which can be imported again.
   * @example "ISO8601" */
  @IfPresent()
  @IsIn(['ISO8601'])
  dateFormat?: 'ISO8601';
}
