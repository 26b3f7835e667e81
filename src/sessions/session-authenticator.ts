import { Injectable } from '@nestjs/common';
import type { Authenticator } from '../access/authenticator.js';
import type { UserPrincipal } from '../access/principal.js';
import { hashSecret, isWellFormedSecret } from '../access/secret.js';
import { Clock } from '../config/clock.js';
import { DecisionReader } from '../database/decision-reader.js';
import { toRfc3339 } from '../database/times.js';
import { Problem } from '../http/problem.js';

interface SessionRow {
  id: number;
  user_id: number;
  is_admin: number;
  expires: number | string;
}

/** Only sessions of active users, and only those that began with the user's present credentials. */
const SESSION = `SELECT s.id, s.user_id, u.is_admin, s.expires
  FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE s.token_hash = ? AND u.state = 'active' AND u.credentials_version = s.credentials_version`;

/** Knows the users behind session tokens. */
@Injectable()
export class SessionAuthenticator implements Authenticator {
  readonly scheme = 'bearer';

  constructor(
    private readonly reader: DecisionReader,
    private readonly clock: Clock,
  ) {}

  async authenticate(token: string, deadline: number): Promise<UserPrincipal> {
    if (!isWellFormedSecret('lks_', token)) {
      throw new Problem('malformed', 'This is not a session token: sign in with POST /v1/sessions for one.');
    }
    const parameters = [hashSecret(token)];
    const [row] = await this.reader.read<SessionRow>(() => ({ mysql: SESSION, sqlite: SESSION, parameters }), deadline);
    if (!row) {
      throw new Problem('unknown', 'There is no such session, or it has ended: sign in again.');
    }
    const expires = Number(row.expires);
    if (this.clock.now() >= expires) {
      throw new Problem('expired', `The session ended at ${toRfc3339(expires)}: sign in again.`);
    }
    return { kind: 'user', userId: row.user_id, isAdmin: Number(row.is_admin) === 1, sessionId: row.id };
  }
}
