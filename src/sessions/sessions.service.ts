import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, LessThanOrEqual } from 'typeorm';
import { ANONYMOUS, system } from '../access/actor.js';
import { type Caller, userOf } from '../access/caller.js';
import { hashSecret, mintSecret } from '../access/secret.js';
import { Transactions } from '../authority/transactions.js';
import { Clock } from '../config/clock.js';
import { Config } from '../config/config.js';
import { forUpdate } from '../database/transactions/locking.js';
import type { ReadRepository } from '../database/reading/read-repository.js';
import { toRfc3339 } from '../database/times.js';
import { Problem } from '../problems/problem.js';
import { counted, Metrics } from '../metrics/metrics.js';
import type { OutcomeCounter } from '../metrics/plain-metrics.js';
import { PasswordCheck } from '../users/sign-in/password-check.js';
import { UsersService } from '../users/users.service.js';
import { Session } from './session.entity.js';
import type { Credentials, CurrentSession, NewSession } from './sessions.dto.js';

const HOUR_MS = 3_600_000;
const PURGE_ROWS_MAX = 1000;

/** Creates and ends sessions. */
@Injectable()
export class SessionsService {
  private readonly signIns: OutcomeCounter;

  constructor(
    @InjectRepository(Session) private readonly sessions: ReadRepository<Session>,
    private readonly transactions: Transactions,
    private readonly users: UsersService,
    private readonly passwordCheck: PasswordCheck,
    private readonly clock: Clock,
    private readonly config: Config,
    metrics: Metrics,
  ) {
    this.signIns = metrics.counters('latchkey_sign_ins_total', 'Attempts to sign in, by outcome.').of({});
  }

  /**
   * Signs a user in. Throws `sign-in-failed` whatever the reason, `too-many-attempts` and `too-busy`.
   *
   * @param address the address of the client
   */
  create(credentials: Credentials, address: string | undefined): Promise<NewSession> {
    return counted(this.signIns, () => this.signIn(credentials, address));
  }

  /** Ends the session of a caller, or all sessions of that user. */
  async end(caller: Caller, all: boolean): Promise<void> {
    const { userId, sessionId } = userOf(caller);
    const where = all ? { userId } : { id: sessionId };
    const lockFirst = async (tx: EntityManager): Promise<void> => {
      await this.users.hold(tx, userId);
      await tx.find(Session, { select: { id: true }, where, order: { id: 'ASC' }, ...forUpdate(tx) });
    };
    await this.transactions.endAuthority(caller, lockFirst, async (write) => {
      const { affected } = await write.tx.delete(Session, where);
      write.record({ entity: 'DELETE /v1/sessions', old: { userId, sessions: affected }, hiddenFromKeys: true });
    });
  }

  /** Returns the session of a caller. */
  async current(caller: Caller): Promise<CurrentSession> {
    const { sessionId, userId } = userOf(caller);
    const [session, user] = await Promise.all([this.sessions.findOneBy({ id: sessionId }), this.users.get(userId)]);
    if (!session) {
      throw new Problem('unknown', 'The session has ended.');
    }
    return { user, created: toRfc3339(session.created), expires: toRfc3339(session.expires) };
  }

  /** Deletes expired sessions, a limited number at a time. */
  async purge(): Promise<void> {
    const expires = LessThanOrEqual(this.clock.now());
    for (let deleted = PURGE_ROWS_MAX; deleted === PURGE_ROWS_MAX;) {
      deleted = await this.transactions.write(system('expired-rows'), async ({ tx }) => {
        const rows = await tx.find(Session, { select: { id: true }, where: { expires }, take: PURGE_ROWS_MAX });
        await tx.delete(Session, { id: In(rows.map((row) => row.id)) });
        return rows.length;
      });
    }
  }

  private async signIn({ email, password }: Credentials, address: string | undefined): Promise<NewSession> {
    const user = await this.passwordCheck.find(email, password, address);
    if (!user) {
      throw new Problem('sign-in-failed');
    }
    const token = mintSecret('lks_');
    const created = this.clock.now();
    await this.transactions.changeAuthority(ANONYMOUS, async (write) => {
      const { tx } = write;
      // The user may have been deactivated while the password was checked.
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
      write.record({
        entity: 'POST /v1/sessions',
        new: { userId: user.id },
        hiddenFromKeys: true,
        signedIn: { userId: user.id, address },
      });
    });
    return { userId: user.id, token, created: toRfc3339(created) };
  }
}
