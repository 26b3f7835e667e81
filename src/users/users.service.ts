import { Injectable } from '@nestjs/common';
import type { KeysOfUser } from './keys-of-user.js';

/** Users and what happens to them. */
@Injectable()
export class UsersService {
  private keys: KeysOfUser | undefined;

  /** Lets the feature that owns keys say how many hang on a user. */
  contributeKeys(keys: KeysOfUser): void {
    this.keys = keys;
  }
}
