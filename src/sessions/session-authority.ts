import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Caller } from '../access/caller.js';
import type { UserPrincipal } from '../access/principal.js';
import { orderedJoin, type PrincipalAuthority, type Selection, sharedLock } from '../authority/principal-authority.js';
import { Clock } from '../config/clock.js';
import type { Engine } from '../database/data-source.js';
import { forShareSql } from '../database/transactions/locking.js';
import { sessionExpired, sessionUnknown } from './session-authenticator.js';

interface Row {
  isAdmin: number;
  expires: number | string;
}

/** Reads the same facts as the authenticator, by id. Like all such queries, it locks the user first. */
const SESSION = `SELECT u.is_admin AS isAdmin, s.expires AS expires
  FROM users u JOIN sessions s ON s.user_id = u.id
  WHERE u.id = ? AND s.id = ? AND u.state = 'active' AND u.credentials_version = s.credentials_version`;

/** Checks in a transaction what the authority of a signed-in user depends on: the user and the session. */
@Injectable()
export class SessionAuthority implements PrincipalAuthority<UserPrincipal> {
  constructor(private readonly clock: Clock) {}

  unchanged(engine: Engine, { principal }: Caller<UserPrincipal>, lock: 'locked' | 'unlocked'): Selection {
    const { userId, sessionId, isAdmin } = principal;
    return {
      sql: `FROM users u ${orderedJoin(engine)} sessions s
        WHERE u.id = ? AND u.state = 'active' AND u.is_admin = ?
        AND s.id = ? AND s.user_id = u.id AND s.credentials_version = u.credentials_version AND s.expires > ?${sharedLock(engine, lock)}`,
      parameters: [userId, Number(isAdmin), sessionId, this.clock.now()],
    };
  }

  async reread(tx: EntityManager, { principal }: Caller<UserPrincipal>): Promise<UserPrincipal> {
    const { userId, sessionId } = principal;
    const [row]: Row[] = await tx.query(SESSION + forShareSql(tx), [userId, sessionId]);
    if (!row) {
      throw sessionUnknown();
    }
    if (this.clock.now() >= Number(row.expires)) {
      throw sessionExpired(Number(row.expires));
    }
    return { ...principal, isAdmin: Number(row.isAdmin) === 1 };
  }

  users({ userId }: UserPrincipal): number[] {
    return [userId];
  }
}
