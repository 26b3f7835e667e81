import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { fold } from '../../database/fold.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import { addressGroup } from './address-group.js';
import { Passwords } from '../passwords/passwords.js';
import { SignInThrottle } from './sign-in-throttle.js';
import { User } from '../user.entity.js';

/** A user at the moment when their password was verified. */
export type CheckedUser = Pick<User, 'id' | 'credentialsVersion'>;

/** Compares passwords. No other code does, so that guesses are limited everywhere. */
@Injectable()
export class PasswordCheck {
  private readonly logger = new Logger('PasswordCheck');

  constructor(
    @InjectRepository(User) private readonly users: ReadRepository<User>,
    private readonly passwords: Passwords,
    private readonly throttle: SignInThrottle,
  ) {}

  /**
   * Finds the active user with this e-mail address and password. Neither the result nor the time reveals whether such a
   * user exists or is deactivated. Throws `too-many-attempts` and `too-busy`.
   *
   * @param address the address of the client
   */
  async find(email: string, password: string, address: string | undefined): Promise<CheckedUser | undefined> {
    const emailKey = fold(email);
    const user = await this.users.findOneBy({ emailKey });
    const attempt = await this.throttle.admit({ emailKey, userId: user?.id, address: addressGroup(address) });
    // Reserves a place first, so that a caller who gets none has written nothing.
    return this.passwords.reserve((matches) =>
      this.throttle.judge(attempt, async () => {
        if ((await matches(password, user?.passwordHash)) && user?.state === 'active') {
          return user;
        }
        const whose = user ? `user ${user.id}` : 'an unknown address';
        this.logger.warn(`wrong password for ${whose} from ${attempt.address}`);
        return undefined;
      }),
    );
  }
}
