import { Entity, ForeignKey, Index } from 'typeorm';
import { Id, IdColumn, IntColumn, TextColumn, TimeColumn } from '../database/columns.js';

/** A session of a user. It is found by the hash of its token. */
@Entity('sessions')
@Index('uq_sessions_token_hash', ['tokenHash'], { unique: true })
@Index('ix_sessions_user_id', ['userId'])
@Index('ix_sessions_expires', ['expires'])
export class Session {
  @Id()
  id: number;

  @TimeColumn('created')
  created: number;

  @TimeColumn('expires')
  expires: number;

  @IdColumn('user_id')
  @ForeignKey('User', { name: 'fk_sessions_user', onDelete: 'CASCADE', onUpdate: 'NO ACTION' })
  userId: number;

  /** SHA-256 of the token, in hexadecimal. */
  @TextColumn('token_hash', 64)
  tokenHash: string;

  /** The user's `credentialsVersion` when the password was checked. */
  @IntColumn('credentials_version')
  credentialsVersion: number;
}
