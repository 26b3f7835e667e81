import { Injectable } from '@nestjs/common';
import type { Authentication, Authenticator } from '../access/authenticator.js';
import { hashSecret, isWellFormedSecret } from '../access/secret.js';
import { Clock } from '../config/clock.js';
import { CoalescedReads } from '../database/reading/coalesced-reads.js';
import { DecisionReader } from '../database/reading/decision-reader.js';
import { toRfc3339 } from '../database/times.js';
import { Problem } from '../problems/problem.js';

interface SessionRow {
  token_hash: string;
  id: number;
  user_id: number;
  is_admin: number;
  expires: number | string;
}

/** Selects only sessions of active users that started with the user's current credentials. */
const sessions = (hashes: string): string => `SELECT s.token_hash, s.id, s.user_id, u.is_admin, s.expires
  FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE s.token_hash IN (${hashes}) AND u.state = 'active' AND u.credentials_version = s.credentials_version`;
const MYSQL = sessions('?');
const SQLITE = sessions('SELECT value FROM json_each(?)');

/** Authenticates users by their session tokens. */
@Injectable()
export class SessionAuthenticator implements Authenticator {
  readonly scheme = 'bearer';

  private readonly sessions: CoalescedReads<string, SessionRow, SessionRow | undefined>;

  constructor(
    reader: DecisionReader,
    private readonly clock: Clock,
  ) {
    this.sessions = new CoalescedReads(reader, {
      statement: (hashes) => ({ mysql: MYSQL, sqlite: SQLITE, list: hashes }),
      answer: (rows) => {
        const byHash = new Map(rows.map((row) => [row.token_hash, row]));
        return (hash) => byHash.get(hash);
      },
    });
  }

  async authenticate(token: string, deadline: number): Promise<Authentication> {
    if (!isWellFormedSecret('lks_', token)) {
      const detail = 'This is not a session token: sign in with POST /v1/sessions for one.';
      return { kind: 'unknown', problem: new Problem('malformed', detail) };
    }
    const row = await this.sessions.read(hashSecret(token), deadline);
    if (!row) {
      return { kind: 'unknown', problem: sessionUnknown() };
    }
    const expires = Number(row.expires);
    if (this.clock.now() >= expires) {
      return { kind: 'unknown', problem: sessionExpired(expires) };
    }
    const isAdmin = Number(row.is_admin) === 1;
    return { kind: 'alive', principal: { kind: 'user', userId: row.user_id, isAdmin, sessionId: row.id } };
  }
}

/** Returns the problem for a token without a session, or whose user is inactive or has new credentials. */
export function sessionUnknown(): Problem {
  return new Problem('unknown', 'There is no such session, or it has ended: sign in again.');
}

/** Returns the problem for an expired session. */
export function sessionExpired(expires: number): Problem {
  return new Problem('expired', `The session ended at ${toRfc3339(expires)}: sign in again.`);
}
