import { toRfc3339 } from '../../database/times.js';
import type { Coupon } from './coupon.entity.js';
import type { CouponView } from './coupons.dto.js';

/** Returns a coupon as the API shows it. */
export function couponView(coupon: Coupon): CouponView {
  const time = (value: number | null): string | null => (value === null ? null : toRfc3339(value));
  return {
    id: coupon.id,
    created: toRfc3339(coupon.created),
    campaignId: coupon.campaignId,
    value: coupon.value,
    usageLimit: coupon.usageLimit,
    discountLimit: coupon.discountLimit,
    reservationLimit: coupon.reservationLimit,
    startDate: time(coupon.startDate),
    expiryDate: time(coupon.expiryDate),
    limits: [],
    usageCounter: coupon.usageCounter,
    discountCounter: coupon.discountCounter,
    attributes: coupon.attributes as Record<string, unknown>,
    recipientIntegrationId: coupon.recipientIntegrationId,
    importId: coupon.importId,
    reservation: false,
    batchId: coupon.batchId,
    isReservationMandatory: coupon.isReservationMandatory,
    implicitlyReserved: false,
  };
}
