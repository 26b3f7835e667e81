import { Entity, ForeignKey, Index } from 'typeorm';
import {
  FlagColumn,
  Id,
  IdColumn,
  JsonColumn,
  LongTextColumn,
  TextColumn,
  TimeColumn,
} from '../../database/columns.js';
import type { CampaignLimit } from './campaigns.dto.js';

export const CAMPAIGN_STATES = ['enabled', 'disabled', 'archived'] as const;
export type CampaignState = (typeof CAMPAIGN_STATES)[number];

export const CAMPAIGN_FEATURES = [
  'coupons',
  'referrals',
  'loyalty',
  'giveaways',
  'strikethrough',
  'achievements',
] as const;
export type CampaignFeature = (typeof CAMPAIGN_FEATURES)[number];

/** A promotion of one Application. Each coupon belongs to one campaign. */
@Entity('campaigns')
@Index('ix_campaigns_application_id', ['applicationId', 'id'])
@Index('ix_campaigns_being_deleted', ['beingDeleted'])
export class Campaign {
  @Id()
  id: number;

  @TimeColumn('created')
  created: number;

  @TimeColumn('updated')
  updated: number;

  @IdColumn('application_id')
  @ForeignKey('Application', { name: 'fk_campaigns_application', onDelete: 'NO ACTION', onUpdate: 'NO ACTION' })
  applicationId: number;

  /** The user who created it. For a campaign created by a key, the key's creator. */
  @IdColumn('user_id')
  userId: number;

  @IdColumn('updated_by')
  updatedBy: number;

  @TextColumn('name', 255)
  name: string;

  @TextColumn('name_key', 1020)
  nameKey: string;

  @LongTextColumn('description')
  description: string;

  @TimeColumn('start_time', { nullable: true })
  startTime: number | null;

  @TimeColumn('end_time', { nullable: true })
  endTime: number | null;

  @JsonColumn('attributes')
  attributes: object;

  @TextColumn('state', 10)
  state: CampaignState;

  @JsonColumn('tags')
  tags: string[];

  /** The folded tags, one per line, for searches. */
  @LongTextColumn('tags_key')
  tagsKey: string;

  @FlagColumn('reevaluate_on_return')
  reevaluateOnReturn: boolean;

  @JsonColumn('features')
  features: CampaignFeature[];

  @JsonColumn('limits')
  limits: CampaignLimit[];

  /** Whether the campaign is being deleted: requests no longer find it or add to it. */
  @FlagColumn('being_deleted')
  beingDeleted: boolean;
}
