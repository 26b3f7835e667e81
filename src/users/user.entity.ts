import { Entity, Index } from 'typeorm';
import { FlagColumn, Id, IntColumn, TextColumn, TimeColumn } from '../database/columns.js';

/** `deleted` is for ever: the row stays for those who refer to it, without name and address. */
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

  /** The name folded, for finding people whatever the case. */
  @TextColumn('name_key', 400)
  nameKey: string;

  /** As it was given; empty once deleted. */
  @TextColumn('email', 254)
  email: string;

  /** The address folded; null once deleted, so that it can be used again. */
  @TextColumn('email_key', 254, { nullable: true })
  emailKey: string | null;

  @TextColumn('state', 20)
  state: UserState;

  @FlagColumn('is_admin')
  isAdmin: boolean;

  /** argon2id in PHC form; empty once deleted. */
  @TextColumn('password_hash', 200)
  passwordHash: string;

  /** Sessions live only while they carry the same number: deactivation, deletion and a new password increase it. */
  @IntColumn('credentials_version')
  credentialsVersion: number;

  @TimeColumn('last_signed_in', { nullable: true })
  lastSignedIn: number | null;
}
