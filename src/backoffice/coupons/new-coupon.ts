/** The longest code, in characters. */
export const VALUE_LENGTH_MAX = 100;
/** The shortest code, in characters. */
export const VALUE_LENGTH_MIN = 3;
/** The longest integration id of a recipient, in characters. */
export const RECIPIENT_LENGTH_MAX = 255;
/** The largest number of redemptions or reservations. */
export const COUNT_LIMIT_MAX = 2_147_483_647;
/** The largest discount limit of a coupon. */
export const DISCOUNT_LIMIT_MAX = 1e15;
/** The longest attributes of a coupon, as JSON text. A page of the list has up to 1000 of them. */
export const ATTRIBUTES_LENGTH_MAX = 10_000;

/** The fields of a coupon that a file or a request sets on creation. */
export interface CouponTerms {
  /** The maximum number of redemptions; 0 = unlimited. */
  usageLimit: number;
  discountLimit: number | null;
  reservationLimit: number | null;
  /** Milliseconds since the epoch. */
  startDate: number | null;
  /** Milliseconds since the epoch. */
  expiryDate: number | null;
  recipientIntegrationId: string | null;
  isReservationMandatory: boolean;
  /** A JSON object, as text. */
  attributes: string;
}

/** A coupon to create. */
export interface NewCoupon extends CouponTerms {
  value: string;
}

/** The values of a coupon of which only the code is given. */
export const DEFAULT_TERMS: Readonly<CouponTerms> = {
  usageLimit: 1,
  discountLimit: null,
  reservationLimit: null,
  startDate: null,
  expiryDate: null,
  recipientIntegrationId: null,
  isReservationMandatory: true,
  attributes: '{}',
};
