import { IsString } from 'class-validator';
import { Length } from '../input/fields/length.js';
import { IfPresent } from '../input/fields/presence.js';
import { QueryFlag } from '../input/fields/query-flag.js';
import { UserView } from '../users/users.dto.js';

/** What somebody signs in with. */
export class Credentials {
  /** The address of the user, in any case.
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

/** Which of one's own sessions are to end. */
export class SessionsToEnd {
  /** Whether all of one's sessions end, on every machine; otherwise only this one does.
   * @example true */
  @IfPresent()
  @QueryFlag()
  all: boolean = false;
}

/** A new session, with the token that proves it. */
export class NewSession {
  /** The user who signed in.
   * @example 280 */
  userId: number;

  /** Goes into `Authorization: Bearer <token>`. It is shown here and nowhere else.
   * @example "lks_9fQm2Xa7Lr0TzB4nVwKc8YdHs1EuJp6GiRo3Wx5ZtNvCbAq1k2M3y" */
  token: string;

  /** When the session began.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;
}

/** Who is signed in, and until when. */
export class CurrentSession {
  /** Who is signed in. */
  user: UserView;

  /** When the session began.
   * @example "2026-11-23T12:00:00.000Z" */
  created: string;

  /** When the session ends by itself.
   * @example "2026-11-24T00:00:00.000Z" */
  expires: string;
}
