import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { CallerCheck } from '../access/caller-check.js';
import type { UserPrincipal } from '../access/principal.js';
import { Clock } from '../config/clock.js';
import { forShare } from '../database/locking.js';
import { toRfc3339 } from '../database/times.js';
import { Problem } from '../http/problem.js';

/** As the authenticator reads it, by id. */
const SESSION = `SELECT s.expires AS expires
  FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE s.id = ? AND u.state = 'active' AND u.credentials_version = s.credentials_version`;

/** Knows whether a signed-in user still is, inside a transaction. */
@Injectable()
export class SessionCheck implements CallerCheck<UserPrincipal> {
  constructor(private readonly clock: Clock) {}

  async stillAlive(tx: EntityManager, caller: UserPrincipal): Promise<void> {
    const rows: { expires: number | string }[] = await tx.query(SESSION + forShare(tx), [caller.sessionId]);
    const session = rows[0];
    if (!session) {
      throw new Problem('unknown', 'The session has ended meanwhile: sign in again.');
    }
    const expires = Number(session.expires);
    if (this.clock.now() >= expires) {
      throw new Problem('expired', `The session ended at ${toRfc3339(expires)}: sign in again.`);
    }
  }
}
