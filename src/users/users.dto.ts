import { ApiHideProperty } from '@nestjs/swagger';
import { IsAscii, IsBoolean, IsEmail, IsIn, IsString } from 'class-validator';
import { FoldsWithin } from '../database/fold.js';
import { Length, MaxLength } from '../input/fields/length.js';
import { IfPresent } from '../input/fields/presence.js';
import { PageQuery } from '../input/paging.js';
import { sortsOf } from '../input/sorting.js';
import { Trimmed } from '../input/fields/trimmed.js';
import { MustBeEmpty } from '../input/fields/must-be-empty.js';
import { PASSWORD_LENGTH, PASSWORD_LENGTH_FAULT } from './passwords/password-rules.js';

/** The orders of the list. */
export const USER_SORTS = sortsOf('id', 'created', 'modified', 'email', 'name', 'state', 'lastSignedIn');

/** The states of users that are shown. */
export const USER_STATES = ['active', 'deactivated'] as const;

/** A user to create. */
export class NewUser {
  /** The name of the user, 1 to 100 characters.
   * @example "Grace Hopper" */
  @Trimmed()
  @IsString()
  @Length(1, 100)
  @FoldsWithin(400)
  name: string;

  /** The e-mail address to sign in with. It must be unique, ignoring case.
   * @example "grace@example.com" */
  @IsString()
  @MaxLength(254)
  @IsAscii()
  @IsEmail()
  email: string;

  /** The password to sign in with, 15 to 128 characters. It must be hard to guess, and contain neither the name nor the
   * e-mail address of the user.
   * @example "correct horse battery" */
  @IsString()
  @Length(PASSWORD_LENGTH.min, PASSWORD_LENGTH.max, { message: PASSWORD_LENGTH_FAULT })
  password: string;

  /** Whether the user may manage keys, users, Applications and services. Default: false.
   * @example false */
  @IfPresent()
  @IsBoolean()
  isAdmin?: boolean;
}

/** The fields of a user to change. Fields that are left out stay unchanged. */
export class UserUpdate {
  /** The name of the user, 1 to 100 characters.
   * @example "Grace Hopper" */
  @Trimmed()
  @IfPresent()
  @IsString()
  @Length(1, 100)
  @FoldsWithin(400)
  name?: string;

  /** The state. Deactivating ends the user's sessions and stops the keys that they created. Activating makes these keys
   * work again.
   * @example "active" */
  @IfPresent()
  @IsIn(USER_STATES)
  state?: (typeof USER_STATES)[number];

  /** Whether the user may manage keys, users, Applications and services. The keys that they created are kept.
   * @example false */
  @IfPresent()
  @IsBoolean()
  isAdmin?: boolean;

  @ApiHideProperty()
  @MustBeEmpty()
  policy?: unknown;

  @ApiHideProperty()
  @MustBeEmpty()
  roles?: unknown;

  @ApiHideProperty()
  @MustBeEmpty()
  applicationNotificationSubscriptions?: unknown;
}

/** A user, identified by e-mail address. */
export class UserByEmail {
  /** The e-mail address of the user, in any case.
   * @example "leaver@example.com" */
  @IsString()
  @Length(1, 254)
  email: string;
}

/** A new password. */
export class PasswordChange {
  /** The current password. Required for your own password, and not for that of another user.
   * @example "correct horse battery" */
  @IfPresent()
  @IsString()
  @Length(1, PASSWORD_LENGTH.max)
  currentPassword?: string;

  /** The new password, 15 to 128 characters. It must be hard to guess, and contain neither the name nor the e-mail
   * address of the user.
   * @example "staple correct horse" */
  @IsString()
  @Length(PASSWORD_LENGTH.min, PASSWORD_LENGTH.max, { message: PASSWORD_LENGTH_FAULT })
  newPassword: string;
}

/** The query for the list of users. Deleted users are never listed. */
export class UserQuery extends PageQuery {
  /** The order of the list, with `-` in front for descending.
   * @example "-created" */
  @IfPresent()
  @IsIn(USER_SORTS)
  sort: (typeof USER_SORTS)[number] = 'id';

  /** Only users whose e-mail address contains this text, ignoring case.
   * @example "@example.com" */
  @IfPresent()
  @IsString()
  @Length(1, 254)
  email?: string;

  /** Only users whose name contains this text, ignoring case.
   * @example "ada" */
  @IfPresent()
  @IsString()
  @Length(1, 100)
  name?: string;

  /** Only users in this state.
   * @example "active" */
  @IfPresent()
  @IsIn(USER_STATES)
  state?: (typeof USER_STATES)[number];
}

/** A person who can sign in. */
export class UserView {
  /** The id of the user.
   * @example 280 */
  id: number;

  /** When the user was created.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** When the user was last changed.
   * @example "2026-11-23T12:00:00.000Z" */
  modified: string;

  /** The e-mail address that the user signs in with.
   * @example "ada@example.com" */
  email: string;

  /** The account; there is only one.
   * @example 1 */
  accountId: number;

  /** Always empty: there are no invitations. It exists for programs that expect it.
   * @example "" */
  inviteToken: string;

  /** The name of the user.
   * @example "Ada Lovelace" */
  name: string;

  /** Whether the user can sign in. While the user is deactivated, the keys that they created do not work.
   * @example "active" */
  state: 'active' | 'deactivated';

  /** Whether the user may manage keys, users, Applications and services.
   * @example false */
  isAdmin: boolean;

  /** Always empty. It exists for programs that expect it.
   * @example {} */
  policy: Record<string, never>;

  /** Always empty. It exists for programs that expect it.
   * @example [] */
  roles: number[];

  /** When the user last signed in; null if never.
   * @example "2026-11-23T12:00:00.000Z" */
  lastSignedIn: string | null;
}

/** A user after a change. */
export class ChangedUser extends UserView {
  /** The number of unexpired keys that stopped or work again because of this change.
   * @example 3 */
  keysAffected: number;
}

/** One page of users. */
export class UserPage {
  /** The total number of users that match.
   * @example 1 */
  totalResultSize: number;

  /** The users of this page. */
  data: UserView[];
}
