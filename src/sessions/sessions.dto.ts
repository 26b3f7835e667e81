import { IsString } from 'class-validator';
import { Length } from '../input/fields/length.js';
import { IfPresent } from '../input/fields/presence.js';
import { QueryFlag } from '../input/fields/query-flag.js';
import { UserView } from '../users/users.dto.js';

/** The credentials for a sign-in. */
export class Credentials {
  /** The e-mail address of the user, in any case.
   * @example "ada@example.com" */
  @IsString()
  @Length(1, 254)
  email: string;

  /** The password of the user.
   * @example "correct horse battery" */
  @IsString()
  @Length(1, 128)
  password: string;
}

/** Which of the caller's own sessions to end. */
export class SessionsToEnd {
  /** Whether all sessions of the user end, on every device. Otherwise only this session ends.
   * @example true */
  @IfPresent()
  @QueryFlag()
  all: boolean = false;
}

/** A new session with its token. */
export class NewSession {
  /** The user who signed in.
   * @example 280 */
  userId: number;

  /** The token, for the header `Authorization: Bearer <token>`. Only this response contains it.
   * @example "lks_9fQm2Xa7Lr0TzB4nVwKc8YdHs1EuJp6GiRo3Wx5ZtNvCbAq1k2M3y" */
  token: string;

  /** When the session started.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;
}

/** The signed-in user and their session. */
export class CurrentSession {
  /** The signed-in user. */
  user: UserView;

  /** When the session started.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** When the session expires.
   * @example "2026-11-24T00:00:00.000Z" */
  expires: string;
}
