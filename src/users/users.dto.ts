import { IsAscii, IsBoolean, IsEmail, IsString, Length } from 'class-validator';
import { IfPresent } from '../http/input.pipe.js';
import { Trimmed } from '../http/trimmed.js';
import { PASSWORD_LENGTH } from './passwords.js';

/** A user to be made. */
export class NewUser {
  /** What people call the user, up to 100 characters.
   * @example "Ada Lovelace" */
  @Trimmed()
  @IsString()
  @Length(1, 100)
  name: string;

  /** The address to sign in with; no other user may have it, whatever its case.
   * @example "ada@example.com" */
  @IsString()
  @IsAscii()
  @IsEmail()
  email: string;

  /** The password to sign in with, 12 to 128 characters.
   * @example "correct horse battery" */
  @IsString()
  @Length(PASSWORD_LENGTH.min, PASSWORD_LENGTH.max)
  password: string;

  /** Whether the user may manage keys, users, Applications and services; absent means no.
   * @example false */
  @IfPresent()
  @IsBoolean()
  isAdmin?: boolean;
}

/** A person who can sign in. */
export class UserView {
  /** The user's id.
   * @example 280 */
  id: number;

  /** When the user was made.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** When the user was last changed.
   * @example "2026-11-23T12:00:00.000Z" */
  modified: string;

  /** The address that the user signs in with.
   * @example "ada@example.com" */
  email: string;

  /** The account, of which there is one.
   * @example 1 */
  accountId: number;

  /** What people call the user.
   * @example "Ada Lovelace" */
  name: string;

  /** Whether the user can sign in. While deactivated, the keys that the user made do not work.
   * @example "active" */
  state: 'active' | 'deactivated';

  /** Whether the user may manage keys, users, Applications and services.
   * @example false */
  isAdmin: boolean;

  /** Always empty; there for programs that expect it.
   * @example {} */
  policy: Record<string, never>;

  /** Always empty; there for programs that expect it.
   * @example [] */
  roles: number[];

  /** When the user last signed in; null if never.
   * @example "2026-11-23T12:00:00.000Z" */
  lastSignedIn: string | null;
}
