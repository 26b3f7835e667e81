import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Not } from 'typeorm';
import type { Principal, UserPrincipal } from '../access/principal.js';
import { ChangesService } from '../changes/changes.service.js';
import { Clock } from '../config/clock.js';
import { fold } from '../database/fold.js';
import { forUpdate } from '../database/locking.js';
import type { ReadRepository } from '../database/read-repository.js';
import { Transactions } from '../database/transactions.js';
import { invalid } from '../http/invalid.js';
import { Problem } from '../http/problem.js';
import { PasswordCheck } from './password-check.js';
import { mintPassword, Passwords } from './passwords.js';
import { User, type UserState } from './user.entity.js';
import type { PasswordChange } from './users.dto.js';

/** New passwords. Each ends all sessions of its user. */
@Injectable()
export class UserPasswordsService {
  constructor(
    @InjectRepository(User) private readonly users: ReadRepository<User>,
    private readonly transactions: Transactions,
    private readonly passwords: Passwords,
    private readonly check: PasswordCheck,
    private readonly changes: ChangesService,
    private readonly clock: Clock,
  ) {}

  /**
   * Sets one's own password, or, for an admin, another's.
   * Throws `admin-required`, `user-not-found`, `validation-failed`, `current-password-wrong`, `too-many-attempts`.
   */
  async change(caller: UserPrincipal, id: number, change: PasswordChange, address: string | undefined): Promise<void> {
    const version = await this.authorize(caller, id, change.currentPassword, address);
    const passwordHash = await this.passwords.hash(change.newPassword);
    await this.transactions.inUrgentTransaction(async (tx) => {
      const user = await tx.findOne(User, { where: { id, state: Not('deleted') }, ...forUpdate(tx) });
      if (!user) {
        throw notFound(id);
      }
      if (version !== undefined && user.credentialsVersion !== version) {
        throw new Problem('current-password-wrong', 'The password was changed in the meantime.');
      }
      await this.set(tx, user, passwordHash, caller, `PUT /v1/users/${id}/password`);
    });
  }

  /**
   * Gives a user a new password, at the wish of whoever operates the process. Throws `user-not-found`.
   * Returns the password, which is nowhere else.
   */
  async reset(email: string): Promise<{ password: string; state: UserState }> {
    const password = mintPassword();
    const passwordHash = await this.passwords.hash(password);
    return this.transactions.inTransaction(async (tx) => {
      const user = await tx.findOne(User, { where: { emailKey: fold(email) }, ...forUpdate(tx) });
      if (!user) {
        throw new Problem('user-not-found', 'There is no user with this e-mail address.');
      }
      // Filed under the user whom it is about: no session did it, and nobody else is known.
      const caller: Principal = { kind: 'user', userId: user.id, isAdmin: user.isAdmin, sessionId: 0 };
      await this.set(tx, user, passwordHash, caller, 'reset-password');
      return { password, state: user.state };
    });
  }

  /** Whether somebody may set a password; for one's own, which version of the credentials was checked. */
  private async authorize(
    caller: UserPrincipal,
    id: number,
    currentPassword: string | undefined,
    address: string | undefined,
  ): Promise<number | undefined> {
    if (caller.userId !== id) {
      if (!caller.isAdmin) {
        throw new Problem('admin-required', "Only an admin may set another user's password.");
      }
      if (currentPassword !== undefined) {
        throw invalid([{ pointer: '/currentPassword', detail: 'is only for one’s own password' }]);
      }
      return undefined;
    }
    if (currentPassword === undefined) {
      throw invalid([{ pointer: '/currentPassword', detail: 'is needed to change one’s own password' }]);
    }
    const user = await this.users.findOneBy({ id, state: 'active' });
    const checked = user && (await this.check.find(user.email, currentPassword, address));
    if (checked?.id !== id) {
      throw new Problem('current-password-wrong');
    }
    return checked.credentialsVersion;
  }

  private async set(
    tx: EntityManager,
    { id, credentialsVersion }: User,
    passwordHash: string,
    caller: Principal,
    entity: string,
  ): Promise<void> {
    await tx.update(
      User,
      { id },
      { passwordHash, credentialsVersion: credentialsVersion + 1, modified: this.clock.now() },
    );
    await this.changes.record(tx, { caller, entity, new: { id, password: 'changed' }, hiddenFromKeys: true });
  }
}

function notFound(id: number): Problem {
  return new Problem('user-not-found', `There is no user ${id}.`);
}
