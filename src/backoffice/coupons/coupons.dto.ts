import { ApiExtraModels, ApiHideProperty, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsBoolean, IsIn, IsInt, IsNumber, IsString, Matches, Max, Min } from 'class-validator';
import { Decimal } from '../../input/fields/decimal.js';
import { IsJsonObject } from '../../input/fields/json-object.js';
import { IfGiven, IfPresent } from '../../input/fields/presence.js';
import { IsTime } from '../../input/fields/rfc3339.js';
import { YES_OR_NO, type YesOrNo } from './coupon-filters.dto.js';
import { COUPONS_MAX } from '../coupon-generation/coupon-pattern.js';
import { MaxJsonLength } from './max-json-length.js';
import { COUNT_LIMIT_MAX, DISCOUNT_LIMIT_MAX } from './new-coupon.js';

/** How coupons are imported. */
export class CouponImportQuery {
  /** With `true`, codes that exist already, or that come twice, are passed over; else nothing is imported then.
   * @example "true" */
  @IfPresent()
  @IsIn(YES_OR_NO)
  skipDuplicates?: YesOrNo;
}

/** A file of coupons, as part of a form. */
export class CouponUpload {
  /** The file; it may also be sent as a text field. */
  @ApiProperty({ type: 'string', format: 'binary' })
  upFile: string;
}

/** How generated coupons are answered. */
export class CouponCreationQuery {
  /** With `yes`, the answer is an empty 204; else it has all the new coupons.
   * @example "no" */
  @IfPresent()
  @IsIn(['yes', 'no'])
  silent?: 'yes' | 'no';
}

/** What is decided about a coupon when it is made, and may be later. */
export class CouponTermsRequest {
  /** How much discount it can give in all; null: any.
   * @example 30.5 */
  @IfGiven()
  @IsNumber()
  @Decimal()
  @Min(0)
  @Max(DISCOUNT_LIMIT_MAX)
  discountLimit?: number | null;

  /** How often it can be reserved; null: any number of times.
   * @example 45 */
  @IfGiven()
  @IsInt()
  @Min(0)
  @Max(COUNT_LIMIT_MAX)
  reservationLimit?: number | null;

  /** When it becomes valid, an RFC 3339 time; null: it always was.
   * @example "2027-06-01T00:00:00Z" */
  @IfGiven()
  @IsTime()
  startDate?: string | null;

  /** The first moment at which it is no longer valid, an RFC 3339 time after `startDate`; null: it never expires.
   * @example "2027-06-30T22:00:00Z" */
  @IfGiven()
  @IsTime()
  expiryDate?: string | null;

  /** Limits of single coupons do not exist here: programs may send it, but only empty. */
  @ApiHideProperty()
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(0)
  limits?: string[];

  /** The integration id of the only customer who may use it, 1 to 255 characters; null or empty: everybody may.
   * @example "customer-1093" */
  @IfGiven()
  @IsString()
  @Matches(/^.{0,255}$/su, { message: 'recipientIntegrationId must have up to 255 characters' })
  recipientIntegrationId?: string | null;

  /** Whatever else is to be kept with it, a JSON object of up to 10,000 characters.
   * @example {"channel": "newsletter"} */
  @IfPresent()
  @IsJsonObject()
  @MaxJsonLength()
  attributes?: Record<string, unknown>;

  /** Whether it must be reserved before it can be redeemed.
   * @example false */
  @IfPresent()
  @IsBoolean()
  isReservationMandatory?: boolean;
}

/** What is to change about a coupon. What is left out stays as it is; null takes a value away. */
export class CouponUpdate extends CouponTermsRequest {
  /** How often the code can be redeemed; 0 is without limit.
   * @example 5 */
  @IfPresent()
  @IsInt()
  @Min(0)
  @Max(COUNT_LIMIT_MAX)
  usageLimit?: number;
}

/** Coupons that are to be made, their codes drawn at random from a pattern. */
export class NewCoupons extends CouponTermsRequest {
  /** How often each code can be redeemed; 0 is without limit.
   * @example 1 */
  @IsInt()
  @Min(0)
  @Max(COUNT_LIMIT_MAX)
  usageLimit: number;

  /** How many coupons to make.
   * @example 100 */
  @IsInt()
  @Min(1)
  @Max(COUPONS_MAX)
  numberOfCoupons: number;

  /** What codes look like, 3 to 100 characters: each `#` becomes one of `validCharacters`, everything else stays.
   * @example "SUMMER-####" */
  @IfPresent()
  @IsString()
  @Matches(/^.{3,100}$/su, { message: 'couponPattern must have 3 to 100 characters' })
  couponPattern?: string;

  /** The characters that take the place of `#`, one in each entry; if left out or empty, A to Z and 0 to 9.
   * @example ["A", "B", "C", "2", "3", "4"] */
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(1000)
  @Matches(/^.$/su, { each: true, message: 'each of validCharacters must be one character' })
  validCharacters?: string[];

  /** Talon.One's older way of saying what codes look like: programs may send it, but only empty. */
  @ApiHideProperty()
  @IfPresent()
  @IsIn([''])
  uniquePrefix?: string;
}

/** A coupon. */
export class CouponView {
  /** Given out once and never again.
   * @example 4711 */
  id: number;

  /** When it was made.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** The campaign that it belongs to.
   * @example 7 */
  campaignId: number;

  /** The code, unique in the campaign's Application.
   * @example "SUMMER-7KX2" */
  value: string;

  /** How often it can be redeemed; 0 is without limit.
   * @example 1 */
  usageLimit: number;

  /** How much discount it can give in all; null: any.
   * @example 30.5 */
  @Decimal()
  discountLimit: number | null;

  /** How often it can be reserved; null: any number of times.
   * @example 45 */
  reservationLimit: number | null;

  /** When it becomes valid; null: it always was.
   * @example "2027-06-01T00:00:00.000Z" */
  startDate: string | null;

  /** The first moment at which it is no longer valid; null: it never expires.
   * @example "2027-06-30T22:00:00.000Z" */
  expiryDate: string | null;

  /** Always empty: limits of single coupons do not exist here.
   * @example [] */
  limits: string[];

  /** How often it was redeemed.
   * @example 0 */
  usageCounter: number;

  /** How much discount it has given.
   * @example 0 */
  @Decimal()
  discountCounter: number;

  /** Whatever else is kept with it.
   * @example {"channel": "newsletter"} */
  attributes: Record<string, unknown>;

  /** The integration id of the only customer who may use it; null: everybody may.
   * @example "customer-1093" */
  recipientIntegrationId: string | null;

  /** The import that made it; null: it was generated.
   * @example 3 */
  importId: number | null;

  /** Always false: nothing is reserved here.
   * @example false */
  reservation: boolean;

  /** What it has in common with the coupons that were made together with it.
   * @example "5f0c4a3e-9d3b-4b57-8a35-9f4cf0f3a8a1" */
  batchId: string | null;

  /** Whether it must be reserved before it can be redeemed.
   * @example true */
  isReservationMandatory: boolean;

  /** Always false: nothing is reserved here.
   * @example false */
  implicitlyReserved: boolean;
}

/** What `valuesOnly` leaves of a coupon. */
export class CouponValue {
  /** The code.
   * @example "SUMMER-7KX2" */
  value: string;
}

/** One page of coupons. */
@ApiExtraModels(CouponView, CouponValue)
export class CouponPage {
  /** Whether there are more behind these.
   * @example false */
  hasMore: boolean;

  /** The coupons of this page; with `valuesOnly`, of each only its code. */
  @ApiProperty({
    type: 'array',
    items: { anyOf: [{ $ref: getSchemaPath(CouponView) }, { $ref: getSchemaPath(CouponValue) }] },
  })
  data: (CouponView | CouponValue)[];
}

/** The coupons that were made. */
export class GeneratedCoupons {
  /** How many there are.
   * @example 1 */
  totalResultSize: number;

  /** All of them. */
  data: CouponView[];
}

/** An import that was carried out. */
export class CouponImportView {
  /** Its id, which the coupons carry as `importId`.
   * @example 3 */
  id: number;

  /** When it was carried out.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** Always 1.
   * @example 1 */
  accountId: number;

  /** The user who carried it out; for an import with a key, the key's creator.
   * @example 280 */
  userId: number;

  /** What was imported: always `Coupon`.
   * @example "Coupon" */
  entity: string;

  /** How many coupons it made.
   * @example 10000 */
  amount: number;
}
