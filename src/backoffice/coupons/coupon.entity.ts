import { Entity, ForeignKey, Index } from 'typeorm';
import {
  FlagColumn,
  Id,
  IdColumn,
  IntColumn,
  JsonColumn,
  NumberColumn,
  TextColumn,
  TimeColumn,
} from '../../database/columns.js';

/**
 * A coupon code of a campaign. Codes are unique within an Application, and compared exactly. Both engines store the id
 * at the end of every index, so that equal entries are ordered by id. The index by campaign has every column that
 * filters use, so that a search through a million coupons reads no rows.
 */
@Entity('coupons')
@Index('uq_coupons_application_value', ['applicationId', 'value'], { unique: true })
@Index('ix_coupons_campaign_id', [
  'campaignId',
  'id',
  'created',
  'startDate',
  'expiryDate',
  'usageLimit',
  'usageCounter',
  'value',
])
@Index('ix_coupons_batch_id', ['campaignId', 'batchId'])
@Index('ix_coupons_recipient', ['campaignId', 'recipientIntegrationId'])
export class Coupon {
  @Id()
  id: number;

  @TimeColumn('created')
  created: number;

  @IdColumn('campaign_id')
  @ForeignKey('Campaign', { name: 'fk_coupons_campaign', onDelete: 'NO ACTION', onUpdate: 'NO ACTION' })
  campaignId: number;

  /** The Application of the campaign, repeated here for the unique index. */
  @IdColumn('application_id')
  applicationId: number;

  @TextColumn('value', 100)
  value: string;

  /** The maximum number of redemptions; 0 = unlimited. */
  @IntColumn('usage_limit')
  usageLimit: number;

  @IntColumn('usage_counter')
  usageCounter: number;

  @NumberColumn('discount_limit', { nullable: true })
  discountLimit: number | null;

  @NumberColumn('discount_counter')
  discountCounter: number;

  @IntColumn('reservation_limit', { nullable: true })
  reservationLimit: number | null;

  @TimeColumn('start_date', { nullable: true })
  startDate: number | null;

  @TimeColumn('expiry_date', { nullable: true })
  expiryDate: number | null;

  @JsonColumn('attributes')
  attributes: object;

  @TextColumn('recipient_integration_id', 255, { nullable: true })
  recipientIntegrationId: string | null;

  @IdColumn('import_id', { nullable: true })
  importId: number | null;

  @TextColumn('batch_id', 36, { nullable: true })
  batchId: string | null;

  @FlagColumn('is_reservation_mandatory')
  isReservationMandatory: boolean;
}

/** A completed import of coupons. */
@Entity('coupon_imports')
@Index('ix_coupon_imports_campaign_id', ['campaignId'])
export class CouponImport {
  @Id()
  id: number;

  @TimeColumn('created')
  created: number;

  @IdColumn('campaign_id')
  campaignId: number;

  @IdColumn('user_id')
  userId: number;

  /** How many coupons it created. */
  @IntColumn('amount')
  amount: number;
}
