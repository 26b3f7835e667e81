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

/** Options of an import. */
export class CouponImportQuery {
  /** With `true`, codes that already exist or are repeated are skipped. Otherwise such a code makes the import fail.
   * @example "true" */
  @IfPresent()
  @IsIn(YES_OR_NO)
  skipDuplicates?: YesOrNo;
}

/** A coupon file, as a part of a form. */
export class CouponUpload {
  /** The file. It may also be sent as a text field. */
  @ApiProperty({ type: 'string', format: 'binary' })
  upFile: string;
}

/** Options of a generation. */
export class CouponCreationQuery {
  /** With `yes`, the response is an empty 204. Otherwise it contains all new coupons.
   * @example "no" */
  @IfPresent()
  @IsIn(['yes', 'no'])
  silent?: 'yes' | 'no';
}

/** The fields of a coupon that are set on creation and can be changed later. */
export class CouponTermsRequest {
  /** The maximum total discount; null: unlimited.
   * @example 30.5 */
  @IfGiven()
  @IsNumber()
  @Decimal()
  @Min(0)
  @Max(DISCOUNT_LIMIT_MAX)
  discountLimit?: number | null;

  /** How often the coupon can be reserved; null: unlimited.
   * @example 45 */
  @IfGiven()
  @IsInt()
  @Min(0)
  @Max(COUNT_LIMIT_MAX)
  reservationLimit?: number | null;

  /** When the coupon becomes valid, an RFC 3339 time; null: it has no start.
   * @example "2027-06-01T00:00:00Z" */
  @IfGiven()
  @IsTime()
  startDate?: string | null;

  /** The first moment at which the coupon is no longer valid, an RFC 3339 time after `startDate`; null: it never
   * expires.
   * @example "2027-06-30T22:00:00Z" */
  @IfGiven()
  @IsTime()
  expiryDate?: string | null;

  /** Coupons have no limits of their own here: programs may send this field only empty. */
  @ApiHideProperty()
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(0)
  limits?: string[];

  /** The integration id of the only customer who may use the coupon, 1 to 255 characters; null or empty: everybody may.
   * @example "customer-1093" */
  @IfGiven()
  @IsString()
  @Matches(/^.{0,255}$/su, { message: 'recipientIntegrationId must have up to 255 characters' })
  recipientIntegrationId?: string | null;

  /** Any other data, as a JSON object of up to 10,000 characters.
   * @example {"channel": "newsletter"} */
  @IfPresent()
  @IsJsonObject()
  @MaxJsonLength()
  attributes?: Record<string, unknown>;

  /** Whether the coupon must be reserved before it can be redeemed.
   * @example false */
  @IfPresent()
  @IsBoolean()
  isReservationMandatory?: boolean;
}

/** The fields of a coupon to change. Fields that are left out stay unchanged; null removes a value. */
export class CouponUpdate extends CouponTermsRequest {
  /** How often the code can be redeemed; 0 = unlimited.
   * @example 5 */
  @IfPresent()
  @IsInt()
  @Min(0)
  @Max(COUNT_LIMIT_MAX)
  usageLimit?: number;
}

/** Coupons to create with random codes from a pattern. */
export class NewCoupons extends CouponTermsRequest {
  /** How often each code can be redeemed; 0 = unlimited.
   * @example 1 */
  @IsInt()
  @Min(0)
  @Max(COUNT_LIMIT_MAX)
  usageLimit: number;

  /** How many coupons to create.
   * @example 100 */
  @IsInt()
  @Min(1)
  @Max(COUPONS_MAX)
  numberOfCoupons: number;

  /** The pattern of the codes, 3 to 100 characters. Each `#` becomes one of `validCharacters`; all other characters
   * stay.
   * @example "SUMMER-####" */
  @IfPresent()
  @IsString()
  @Matches(/^.{3,100}$/su, { message: 'couponPattern must have 3 to 100 characters' })
  couponPattern?: string;

  /** The characters that replace `#`, one per entry. Default: A to Z and 0 to 9.
   * @example ["A", "B", "C", "2", "3", "4"] */
  @IfPresent()
  @IsArray()
  @ArrayMaxSize(1000)
  @Matches(/^.$/su, { each: true, message: 'each of validCharacters must be one character' })
  validCharacters?: string[];

  /** An older alternative to `couponPattern` in Talon.One: programs may send this field only empty. */
  @ApiHideProperty()
  @IfPresent()
  @IsIn([''])
  uniquePrefix?: string;
}

/** A coupon. */
export class CouponView {
  /** The id, which is never used again.
   * @example 4711 */
  id: number;

  /** When the coupon was created.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** The campaign of the coupon.
   * @example 7 */
  campaignId: number;

  /** The code, unique in the Application of the campaign.
   * @example "SUMMER-7KX2" */
  value: string;

  /** How often the coupon can be redeemed; 0 = unlimited.
   * @example 1 */
  usageLimit: number;

  /** The maximum total discount; null: unlimited.
   * @example 30.5 */
  @Decimal()
  discountLimit: number | null;

  /** How often the coupon can be reserved; null: unlimited.
   * @example 45 */
  reservationLimit: number | null;

  /** When the coupon becomes valid; null: it has no start.
   * @example "2027-06-01T00:00:00.000Z" */
  startDate: string | null;

  /** The first moment at which the coupon is no longer valid; null: it never expires.
   * @example "2027-06-30T22:00:00.000Z" */
  expiryDate: string | null;

  /** Always empty: coupons have no limits of their own here.
   * @example [] */
  limits: string[];

  /** How often the coupon was redeemed.
   * @example 0 */
  usageCounter: number;

  /** The total discount so far.
   * @example 0 */
  @Decimal()
  discountCounter: number;

  /** Any other data.
   * @example {"channel": "newsletter"} */
  attributes: Record<string, unknown>;

  /** The integration id of the only customer who may use the coupon; null: everybody may.
   * @example "customer-1093" */
  recipientIntegrationId: string | null;

  /** The import that created the coupon; null: it was generated.
   * @example 3 */
  importId: number | null;

  /** Always false: there are no reservations here.
   * @example false */
  reservation: boolean;

  /** The batch of coupons that were created together.
   * @example "5f0c4a3e-9d3b-4b57-8a35-9f4cf0f3a8a1" */
  batchId: string | null;

  /** Whether the coupon must be reserved before it can be redeemed.
   * @example true */
  isReservationMandatory: boolean;

  /** Always false: there are no reservations here.
   * @example false */
  implicitlyReserved: boolean;
}

/** A coupon with `valuesOnly`. */
export class CouponValue {
  /** The code.
   * @example "SUMMER-7KX2" */
  value: string;
}

/** One page of coupons. */
@ApiExtraModels(CouponView, CouponValue)
export class CouponPage {
  /** Whether there are more coupons after this page.
   * @example false */
  hasMore: boolean;

  /** The coupons of this page; with `valuesOnly`, only their codes. */
  @ApiProperty({
    type: 'array',
    items: { anyOf: [{ $ref: getSchemaPath(CouponView) }, { $ref: getSchemaPath(CouponValue) }] },
  })
  data: (CouponView | CouponValue)[];
}

/** The new coupons. */
export class GeneratedCoupons {
  /** The number of new coupons.
   * @example 1 */
  totalResultSize: number;

  /** All new coupons. */
  data: CouponView[];
}

/** A completed import. */
export class CouponImportView {
  /** The id of the import, which its coupons have as `importId`.
   * @example 3 */
  id: number;

  /** When the import was completed.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** Always 1.
   * @example 1 */
  accountId: number;

  /** The user who made the import. For an import by a key, the key's creator.
   * @example 280 */
  userId: number;

  /** The imported entity: always `Coupon`.
   * @example "Coupon" */
  entity: string;

  /** How many coupons the import created.
   * @example 10000 */
  amount: number;
}
