import { Entity, Index } from 'typeorm';
import { FlagColumn, Id, IdColumn, JsonColumn, TextColumn, TimeColumn } from '../database/columns.js';

/** The kinds of actors. The operator works at the command line, the system works by itself. */
export const CHANGE_ACTORS = ['user', 'api-key', 'operator', 'system'] as const;
export type ChangeActor = (typeof CHANGE_ACTORS)[number];

/**
 * One change in the audit log. It has no foreign keys, because it outlives the rows that it describes. Each index has
 * the order of the log and every column that filters use, so that a search reads only rows that it returns. Changes are
 * written rarely enough to afford these indices.
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

  /** The user who made the change. For a change by a key, the key's creator; 0 if there was no user. */
  @IdColumn('user_id')
  userId: number;

  @IdColumn('application_id', { nullable: true })
  applicationId: number | null;

  /** The request that made the change, such as `PUT /v1/users/7`. */
  @TextColumn('entity', 512)
  entity: string;

  /** The key that made the change, if a key did. */
  @IdColumn('management_key_id', { nullable: true })
  managementKeyId: number | null;

  /** Keys do not see changes of keys, services and passwords. */
  @FlagColumn('hidden_from_keys')
  hiddenFromKeys: boolean;

  @JsonColumn('old', { nullable: true })
  old: object | null;

  @JsonColumn('new', { nullable: true })
  new: object | null;

  @TextColumn('actor', 20, { default: 'user' })
  actor: ChangeActor;

  /** The address of the client, as far as `TRUST_PROXY` allows. */
  @TextColumn('address', 64, { nullable: true })
  address: string | null;
}
