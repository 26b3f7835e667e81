import { validationFailed } from '../../problems/validation-failed.js';
import { readTime } from '../../input/fields/rfc3339.js';
import type { Coupon } from './coupon.entity.js';
import type { CouponUpdate } from './coupons.dto.js';

/** Converts the fields of a request to columns. Fields that the request does not name are left out. */
export function termsOf(request: CouponUpdate): Partial<Coupon> {
  const { usageLimit, discountLimit, reservationLimit, attributes, isReservationMandatory } = request;
  const { startDate, expiryDate, recipientIntegrationId } = request;
  const terms = {
    usageLimit,
    discountLimit,
    reservationLimit,
    attributes,
    isReservationMandatory,
    startDate: readIfGiven(startDate),
    expiryDate: readIfGiven(expiryDate),
    recipientIntegrationId: recipientIntegrationId === '' ? null : recipientIntegrationId,
  };
  return Object.fromEntries(Object.entries(terms).filter(([, value]) => value !== undefined)) as Partial<Coupon>;
}

/** Throws `validation-failed` for a coupon that would expire before it is valid. */
export function refuseWrongDates({ startDate, expiryDate }: Pick<Coupon, 'startDate' | 'expiryDate'>): void {
  if (startDate !== null && expiryDate !== null && startDate >= expiryDate) {
    throw validationFailed([{ pointer: '/expiryDate', detail: 'expiryDate must be after startDate' }]);
  }
}

function readIfGiven(time: string | null | undefined): number | null | undefined {
  return typeof time === 'string' ? readTime(time) : time;
}
