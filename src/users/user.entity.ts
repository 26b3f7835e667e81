import { Entity, Index } from 'typeorm';
import { FlagColumn, Id, IntColumn, TextColumn, TimeColumn } from '../database/columns.js';

/** `deleted` is final. The row stays for rows that refer to it, without name and e-mail address. */
export type UserState = 'active' | 'deactivated' | 'deleted';

/** A person who can sign in. */
@Entity('users')
@Index('uq_users_email_key', ['emailKey'], { unique: true })
export class User {
  @Id()
  id: number;

  @TimeColumn('created')
  created: number;

  @TimeColumn('modified')
  modified: number;

  @TextColumn('name', 100)
  name: string;

  /** The folded name, for searches that ignore case. */
  @TextColumn('name_key', 400)
  nameKey: string;

  /** The e-mail address as it was given; empty after deletion. */
  @TextColumn('email', 254)
  email: string;

  /** The folded e-mail address; null after deletion, so that it can be used again. */
  @TextColumn('email_key', 254, { nullable: true })
  emailKey: string | null;

  @TextColumn('state', 20)
  state: UserState;

  @FlagColumn('is_admin')
  isAdmin: boolean;

  /** argon2id in PHC form; empty after deletion. */
  @TextColumn('password_hash', 200)
  passwordHash: string;

  /** Sessions are valid only while they have the same number. Deactivation, deletion and a new password increase it. */
  @IntColumn('credentials_version')
  credentialsVersion: number;

  @TimeColumn('last_signed_in', { nullable: true })
  lastSignedIn: number | null;
}
