import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { hashSecret, mintSecret } from '../access/secret.js';
import type { UserPrincipal } from '../access/principal.js';
import { Clock } from '../config/clock.js';
import { Config } from '../config/config.js';
import type { ReadRepository } from '../database/read-repository.js';
import { toRfc3339 } from '../database/times.js';
import { Transactions } from '../database/transactions.js';
import { Problem } from '../http/problem.js';
import { Passwords } from '../users/passwords.js';
import { UsersService } from '../users/users.service.js';
import { Session } from './session.entity.js';
import type { Credentials, CurrentSession, NewSession } from './sessions.dto.js';

const HOUR_MS = 3_600_000;

/** Signing in and out. */
@Injectable()
export class SessionsService {
  constructor(
    @InjectRepository(Session) private readonly sessions: ReadRepository<Session>,
    private readonly transactions: Transactions,
    private readonly users: UsersService,
    private readonly passwords: Passwords,
    private readonly clock: Clock,
    private readonly config: Config,
  ) {}

  /** Signs somebody in. Throws `sign-in-failed`, whatever the reason. */
  async create({ email, password }: Credentials): Promise<NewSession> {
    const user = await this.users.findForSignIn(email);
    if (!(await this.passwords.matches(password, user?.passwordHash)) || user?.state !== 'active') {
      throw new Problem('sign-in-failed');
    }
    const token = mintSecret('lks_');
    const created = this.clock.now();
    await this.transactions.inTransaction(async (tx) => {
      if (!(await this.users.signIn(tx, user.id, user.credentialsVersion))) {
        throw new Problem('sign-in-failed');
      }
      await tx.insert(Session, {
        created,
        expires: created + this.config.SESSION_LIFETIME_HOURS * HOUR_MS,
        userId: user.id,
        tokenHash: hashSecret(token),
        credentialsVersion: user.credentialsVersion,
      });
    });
    return { userId: user.id, token, created: toRfc3339(created) };
  }

  /** The session of a caller. */
  async current(caller: UserPrincipal): Promise<CurrentSession> {
    const [session, user] = await Promise.all([
      this.sessions.findOneBy({ id: caller.sessionId }),
      this.users.get(caller.userId),
    ]);
    if (!session) {
      throw new Problem('unknown', 'The session has ended.');
    }
    return { user, created: toRfc3339(session.created), expires: toRfc3339(session.expires) };
  }
}
