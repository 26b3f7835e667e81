import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { OPERATOR } from '../../access/actor.js';
import { type Caller, userOf } from '../../access/caller.js';
import type { Principal } from '../../access/principal.js';
import { Transactions } from '../../authority/transactions.js';
import type { Write } from '../../authority/write.js';
import { Clock } from '../../config/clock.js';
import { fold } from '../../database/fold.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import { validationFailed } from '../../problems/validation-failed.js';
import { Problem } from '../../problems/problem.js';
import { lockUsers, targetOf } from '../user-changes.js';
import { PasswordCheck } from '../sign-in/password-check.js';
import { findPasswordFault } from './password-rules.js';
import { mintPassword, Passwords } from './passwords.js';
import { SignInThrottle } from '../sign-in/sign-in-throttle.js';
import { User, type UserState } from '../user.entity.js';
import type { PasswordChange } from '../users.dto.js';

/** Sets new passwords. A new password ends all sessions of its user, and lifts a lock-out after failed sign-ins. */
@Injectable()
export class UserPasswordsService {
  constructor(
    @InjectRepository(User) private readonly users: ReadRepository<User>,
    private readonly transactions: Transactions,
    private readonly passwords: Passwords,
    private readonly check: PasswordCheck,
    private readonly throttle: SignInThrottle,
    private readonly clock: Clock,
  ) {}

  /**
   * Sets the caller's own password, or, for an admin, that of another user. Throws `admin-required`, `user-not-found`,
   * `validation-failed`, `current-password-wrong`, `too-many-attempts`.
   */
  async change(caller: Caller, id: number, change: PasswordChange): Promise<void> {
    const version = await this.authorize(caller, id, change.currentPassword);
    const passwordHash = await this.passwords.hash(change.newPassword);
    await this.transactions.endAuthority(caller, lockUsers({ id }), async (write, users) => {
      refuseOthers(write.principal, id);
      const { user } = targetOf(users);
      // Checked here and not earlier, so that setting another user's password does not wait for a connection of the
      // pool.
      const fault = await findPasswordFault(change.newPassword, user);
      if (fault !== undefined) {
        throw validationFailed([{ pointer: '/newPassword', detail: fault }]);
      }
      if (version !== undefined && user.credentialsVersion !== version) {
        throw new Problem('current-password-wrong', 'The password was changed in the meantime.');
      }
      await this.set(write, user, passwordHash, `PUT /v1/users/${id}/password`);
    });
  }

  /**
   * Gives a user a new password on behalf of the operator. Throws `user-not-found`. Returns the password, which is
   * stored nowhere else.
   */
  async reset(email: string): Promise<{ password: string; state: UserState }> {
    const emailKey = fold(email);
    const owner = await this.users.findOneBy({ emailKey });
    const password = await mintPassword(owner ?? { email });
    const passwordHash = await this.passwords.hash(password);
    return this.transactions.endAuthority(OPERATOR, lockUsers({ email }), async (write, users) => {
      const { user } = targetOf(users);
      await this.set(write, user, passwordHash, 'reset-password');
      return { password, state: user.state };
    });
  }

  /**
   * Checks whether the caller may set the password. For the caller's own password, it returns the checked version of
   * the credentials.
   */
  private async authorize(
    caller: Caller,
    id: number,
    currentPassword: string | undefined,
  ): Promise<number | undefined> {
    refuseOthers(caller.principal, id);
    if (userOf(caller).userId !== id) {
      if (currentPassword !== undefined) {
        throw validationFailed([
          { pointer: '/currentPassword', detail: 'is only allowed for your own password: remove it' },
        ]);
      }
      return undefined;
    }
    if (currentPassword === undefined) {
      throw validationFailed([{ pointer: '/currentPassword', detail: 'is required to change your own password' }]);
    }
    const user = await this.users.findOneBy({ id, state: 'active' });
    const checked = user && (await this.check.find(user.email, currentPassword, caller.address));
    if (checked?.id !== id) {
      throw new Problem('current-password-wrong');
    }
    return checked.credentialsVersion;
  }

  private async set(
    write: Write,
    { id, emailKey, credentialsVersion }: User,
    passwordHash: string,
    entity: string,
  ): Promise<void> {
    await write.tx.update(
      User,
      { id },
      { passwordHash, credentialsVersion: credentialsVersion + 1, modified: this.clock.now() },
    );
    // Only deleted users have no address, and they get no password.
    if (emailKey !== null) {
      await this.throttle.lift(write.tx, emailKey);
    }
    write.record({ entity, new: { id, password: 'changed' }, hiddenFromKeys: true });
  }
}

/**
 * Refuses callers who are neither the user nor an admin. It runs before hashing and again in the transaction, because
 * the caller may have been demoted in between.
 */
function refuseOthers(principal: Principal | undefined, id: number): void {
  if (principal?.kind !== 'user' || (principal.userId !== id && !principal.isAdmin)) {
    throw new Problem('admin-required', "Only an admin may set another user's password.");
  }
}
