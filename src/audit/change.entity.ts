import { Entity, Index } from 'typeorm';
import { FlagColumn, Id, IdColumn, JsonColumn, TextColumn, TimeColumn } from '../database/columns.js';

/** What kind of actor did something. The operator works at the command line, the system by itself. */
export const CHANGE_ACTORS = ['user', 'api-key', 'operator', 'system'] as const;
export type ChangeActor = (typeof CHANGE_ACTORS)[number];

/**
 * One entry of the audit trail. It refers to nothing by foreign key: it outlives what it tells about.
 * Each index has the trail's order and every column that can be filtered by, so that a search reads no row that it does
 * not answer with; audit entries are written seldom enough to afford it.
 */
@Entity('changes')
@Index('ix_changes_created', [
  'created',
  'id',
  'hiddenFromKeys',
  'userId',
  'applicationId',
  'managementKeyId',
  'entity',
])
@Index('ix_changes_user_id', [
  'userId',
  'created',
  'id',
  'hiddenFromKeys',
  'applicationId',
  'managementKeyId',
  'entity',
])
@Index('ix_changes_application_id', [
  'applicationId',
  'created',
  'id',
  'hiddenFromKeys',
  'userId',
  'managementKeyId',
  'entity',
])
@Index('ix_changes_management_key_id', [
  'managementKeyId',
  'created',
  'id',
  'hiddenFromKeys',
  'userId',
  'applicationId',
  'entity',
])
export class Change {
  @Id()
  id: number;

  @TimeColumn('created')
  created: number;

  /** Who did it; for a change by a key, the key's creator; 0 where no user did. */
  @IdColumn('user_id')
  userId: number;

  @IdColumn('application_id', { nullable: true })
  applicationId: number | null;

  /** The request that did it, such as `PUT /v1/users/7`. */
  @TextColumn('entity', 512)
  entity: string;

  /** The key that did it, if it was one. */
  @IdColumn('management_key_id', { nullable: true })
  managementKeyId: number | null;

  /** Entries about keys, services and passwords are not shown to keys. */
  @FlagColumn('hidden_from_keys')
  hiddenFromKeys: boolean;

  @JsonColumn('old', { nullable: true })
  old: object | null;

  @JsonColumn('new', { nullable: true })
  new: object | null;

  @TextColumn('actor', 20, { default: 'user' })
  actor: ChangeActor;

  /** The client's address, as far as `TRUST_PROXY` goes. */
  @TextColumn('address', 64, { nullable: true })
  address: string | null;
}
