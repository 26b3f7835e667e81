/** The longest code, in characters. */
export const VALUE_LENGTH_MAX = 100;
/** The shortest code, in characters. */
export const VALUE_LENGTH_MIN = 3;
/** The longest integration id of a recipient, in characters. */
export const RECIPIENT_LENGTH_MAX = 255;
/** The largest number of redemptions or reservations. */
export const COUNT_LIMIT_MAX = 2_147_483_647;
/** The largest discount that one coupon may be limited to. */
export const DISCOUNT_LIMIT_MAX = 1e15;
/** The longest attributes of a coupon, as JSON text: a page of the list has up to 1000 of them. */
export const ATTRIBUTES_LENGTH_MAX = 10_000;

/** What is decided about a coupon when it is made, whether by a file or by a request. */
export interface CouponTerms {
  /** Redemptions, 0 = unlimited. */
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

/** A coupon that is to be made. */
export interface NewCoupon extends CouponTerms {
  value: string;
}

/** What holds for a coupon of which only the code is given. */
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
