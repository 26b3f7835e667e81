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

/** What the list can be sorted by. */
const USER_SORTS = sortsOf('id', 'created', 'modified', 'email', 'name', 'state', 'lastSignedIn');

/** The states in which a user is shown. */
const USER_STATES = ['active', 'deactivated'] as const;

/** A user to be made. */
export class NewUser {
  /** What people call the user, 1 to 100 characters.
   * @example "Grace Hopper" */
  @Trimmed()
  @IsString()
  @Length(1, 100)
  @FoldsWithin(400)
  name: string;

  /** The address to sign in with; no other user may have it, whatever its case.
   * @example "grace@example.com" */
  @IsString()
  @MaxLength(254)
  @IsAscii()
  @IsEmail()
  email: string;

  /** The password to sign in with, 15 to 128 characters. It is none that is easy to guess, and contains neither the name
   * nor the e-mail address of the user.
   * @example "correct horse battery" */
  @IsString()
  @Length(PASSWORD_LENGTH.min, PASSWORD_LENGTH.max, { message: PASSWORD_LENGTH_FAULT })
  password: string;

  /** Whether the user may manage keys, users, Applications and services; absent means no.
   * @example false */
  @IfPresent()
  @IsBoolean()
  isAdmin?: boolean;
}

/** What is to be different about a user; what is left out stays. */
export class UserUpdate {
  /** What people call the user, 1 to 100 characters.
   * @example "Grace Hopper" */
  @Trimmed()
  @IfPresent()
  @IsString()
  @Length(1, 100)
  @FoldsWithin(400)
  name?: string;

  /** Deactivating ends the user's sessions and stops the keys that they made; activating revives those keys.
   * @example "active" */
  @IfPresent()
  @IsIn(USER_STATES)
  state?: (typeof USER_STATES)[number];

  /** Whether the user may manage keys, users, Applications and services. The keys that they made stay as they are.
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

/** A user, named by the address that they sign in with. */
export class UserByEmail {
  /** The address of the user, in any case.
   * @example "leaver@example.com" */
  @IsString()
  @Length(1, 254)
  email: string;
}

/** A new password. */
export class PasswordChange {
  /** The present password: needed for one's own, and for nobody else's.
   * @example "correct horse battery" */
  @IfPresent()
  @IsString()
  @Length(1, PASSWORD_LENGTH.max)
  currentPassword?: string;

  /** The password from now on, 15 to 128 characters. It is none that is easy to guess, and contains neither the name nor
   * the e-mail address of the user.
   * @example "staple correct horse" */
  @IsString()
  @Length(PASSWORD_LENGTH.min, PASSWORD_LENGTH.max, { message: PASSWORD_LENGTH_FAULT })
  newPassword: string;
}

/** Which users are wanted. Deleted ones are never listed. */
export class UserQuery extends PageQuery {
  /** What to sort by; with `-` in front, descending.
   * @example "-created" */
  @IfPresent()
  @IsIn(USER_SORTS)
  sort: (typeof USER_SORTS)[number] = 'id';

  /** Only users whose address contains this, ignoring case.
   * @example "@example.com" */
  @IfPresent()
  @IsString()
  @Length(1, 254)
  email?: string;

  /** Only users whose name contains this, ignoring case.
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

  /** Always empty: nobody is invited here; there for programs that expect it.
   * @example "" */
  inviteToken: string;

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

/** A user after a change. */
export class ChangedUser extends UserView {
  /** How many keys that have not expired stopped, or revived, with this change.
   * @example 3 */
  keysAffected: number;
}

/** One page of users. */
export class UserPage {
  /** How many users there are in all.
   * @example 1 */
  totalResultSize: number;

  /** The users of this page. */
  data: UserView[];
}
