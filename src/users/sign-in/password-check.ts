import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { fold } from '../../database/fold.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import { addressGroup } from './address-group.js';
import { Passwords } from '../passwords/passwords.js';
import { SignInThrottle } from './sign-in-throttle.js';
import { User } from '../user.entity.js';

/** A user as they were when their password was found to be right. */
export type CheckedUser = Pick<User, 'id' | 'credentialsVersion'>;

/** The one place where a password is compared, so that guesses are bounded wherever passwords are asked for. */
@Injectable()
export class PasswordCheck {
  private readonly logger = new Logger('PasswordCheck');

  constructor(
    @InjectRepository(User) private readonly users: ReadRepository<User>,
    private readonly passwords: Passwords,
    private readonly throttle: SignInThrottle,
  ) {}

  /**
   * The active user with this address and password, if there is one. Neither the answer nor the time it takes tells
   * whether there is such a user, or whether they are deactivated. Throws `too-many-attempts` and `too-busy`.
   *
   * @param address where the request comes from
   */
  async find(email: string, password: string, address: string | undefined): Promise<CheckedUser | undefined> {
    const emailKey = fold(email);
    const user = await this.users.findOneBy({ emailKey });
    const attempt = await this.throttle.admit({ emailKey, userId: user?.id, address: addressGroup(address) });
    // A place first: whoever gets none has written nothing.
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
