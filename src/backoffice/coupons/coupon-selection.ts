import { containing } from '../../database/fold.js';
import type { Milliseconds } from '../../database/times.js';
import { readTime } from '../../input/fields/rfc3339.js';
import type { CouponFilters, CouponValidity } from './coupon-filters.dto.js';

/** An SQL condition that is the same on both engines. */
export interface Condition {
  sql: string;
  parameters: (string | number)[];
}

/** The index that a query for coupons uses. */
export type CouponIndex =
  'uq_coupons_application_value' | 'ix_coupons_campaign_id' | 'ix_coupons_batch_id' | 'ix_coupons_recipient';

/**
 * How to find coupons of one campaign in the database. The query walks an index, in which all rows that match `along`
 * are ordered by id, and filters them by `besides`. If `besides` is undefined, the index alone decides.
 */
export interface CouponSelection {
  index: CouponIndex;
  along: Condition;
  besides: Condition | undefined;
}

/** Returns how to find the coupons of a campaign that match filters. */
export function selectCoupons(
  { applicationId, campaignId }: { applicationId: number; campaignId: number },
  filters: CouponFilters,
  now: Milliseconds,
): CouponSelection {
  const { value, exactMatch, batchId, recipientIntegrationId } = filters;
  if (filters.referralId !== undefined) {
    // No coupon has a referral, because there are no referrals here.
    const along = and([is('campaign_id', campaignId), { sql: '1 = 0', parameters: [] }])!;
    return { index: 'ix_coupons_campaign_id', along, besides: undefined };
  }
  const besides = rangesOf(filters, now);
  if (value !== undefined && exactMatch === 'true') {
    besides.push(is('campaign_id', campaignId), ...isIfGiven('batch_id', batchId));
    besides.push(...isIfGiven('recipient_integration_id', recipientIntegrationId));
    const along = and([is('application_id', applicationId), is('value', value)])!;
    return { index: 'uq_coupons_application_value', along, besides: and(besides) };
  }
  if (value !== undefined) {
    besides.push({ sql: "value LIKE ? ESCAPE '!'", parameters: [containing(value)] });
  }
  if (recipientIntegrationId !== undefined) {
    besides.push(...isIfGiven('batch_id', batchId));
    const along = and([is('campaign_id', campaignId), is('recipient_integration_id', recipientIntegrationId)])!;
    return { index: 'ix_coupons_recipient', along, besides: and(besides) };
  }
  if (batchId !== undefined) {
    const along = and([is('campaign_id', campaignId), is('batch_id', batchId)])!;
    return { index: 'ix_coupons_batch_id', along, besides: and(besides) };
  }
  // This index contains all filtered columns, so that the query reads no row that does not match.
  return { index: 'ix_coupons_campaign_id', along: is('campaign_id', campaignId), besides: and(besides) };
}

function rangesOf(filters: CouponFilters, now: Milliseconds): Condition[] {
  const bounds = [
    ['created <', filters.createdBefore],
    ['created >', filters.createdAfter],
    ['start_date <', filters.startsBefore],
    ['start_date >', filters.startsAfter],
    ['expiry_date <', filters.expiresBefore],
    ['expiry_date >', filters.expiresAfter],
  ] as const;
  const conditions: Condition[] = bounds.flatMap(([comparison, time]) =>
    time === undefined ? [] : [{ sql: `${comparison} ?`, parameters: [readTime(time)] }],
  );
  if (filters.valid !== undefined) {
    conditions.push(validityCondition(filters.valid, now));
  }
  if (filters.usable !== undefined) {
    const usable = '(usage_limit = 0 OR usage_counter < usage_limit)';
    conditions.push({ sql: filters.usable === 'true' ? usable : `NOT ${usable}`, parameters: [] });
  }
  if (filters.redeemed !== undefined) {
    conditions.push({ sql: `usage_counter ${filters.redeemed === 'true' ? '>' : '='} 0`, parameters: [] });
  }
  return conditions;
}

/** Every coupon has exactly one of the three states at any time, because it starts before it expires. */
function validityCondition(valid: CouponValidity, now: Milliseconds): Condition {
  switch (valid) {
    case 'expired':
      return { sql: 'expiry_date <= ?', parameters: [now] };
    case 'validNow':
      return {
        sql: '(start_date IS NULL OR start_date <= ?) AND (expiry_date IS NULL OR expiry_date > ?)',
        parameters: [now, now],
      };
    case 'validFuture':
      return { sql: 'start_date > ?', parameters: [now] };
    default:
      return valid satisfies never;
  }
}

function is(column: string, value: string | number): Condition {
  return { sql: `${column} = ?`, parameters: [value] };
}

function isIfGiven(column: string, value: string | undefined): Condition[] {
  return value === undefined ? [] : [is(column, value)];
}

function and(conditions: Condition[]): Condition | undefined {
  return conditions.length === 0
    ? undefined
    : {
        sql: conditions.map(({ sql }) => `(${sql})`).join(' AND '),
        parameters: conditions.flatMap(({ parameters }) => parameters),
      };
}
