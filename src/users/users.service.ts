import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Not } from 'typeorm';
import type { Principal } from '../access/principal.js';
import { ChangesService } from '../changes/changes.service.js';
import { Clock } from '../config/clock.js';
import { UniqueViolation } from '../database/driver-errors.js';
import { fold } from '../database/fold.js';
import { forUpdate } from '../database/locking.js';
import type { ReadRepository } from '../database/read-repository.js';
import { Transactions } from '../database/transactions.js';
import { Problem } from '../http/problem.js';
import type { KeysOfUser } from './keys-of-user.js';
import { Passwords } from './passwords.js';
import { User } from './user.entity.js';
import { userSnapshot, userView } from './user-views.js';
import type { NewUser, UserView } from './users.dto.js';

/** Users and what happens to them. */
@Injectable()
export class UsersService {
  private keys: KeysOfUser | undefined;

  constructor(
    @InjectRepository(User) private readonly users: ReadRepository<User>,
    private readonly transactions: Transactions,
    private readonly passwords: Passwords,
    private readonly changes: ChangesService,
    private readonly clock: Clock,
  ) {}

  /** Lets the feature that owns keys say how many hang on a user. */
  contributeKeys(keys: KeysOfUser): void {
    this.keys = keys;
  }

  /** A user by id. Throws `user-not-found`, also for a deleted one. */
  async get(id: number): Promise<UserView> {
    const user = await this.users.findOneBy({ id, state: Not('deleted') });
    if (!user) {
      throw new Problem('user-not-found', `There is no user ${id}.`);
    }
    return userView(user);
  }

  /** Makes a user. Throws `email-taken`. */
  async create(caller: Principal, { name, email, password, isAdmin = false }: NewUser): Promise<UserView> {
    const passwordHash = await this.passwords.hash(password);
    try {
      return await this.transactions.inTransaction(async (tx) => {
        const user = await this.insert(tx, { name, email, isAdmin, passwordHash });
        await this.changes.record(tx, { caller, entity: 'POST /v1/users', new: userSnapshot(user) });
        return userView(user);
      });
    } catch (error) {
      if (error instanceof UniqueViolation) {
        throw new Problem('email-taken', 'Another user has this e-mail address.', {}, { cause: error });
      }
      throw error;
    }
  }

  /** Makes the admin that everything begins with. */
  async createFirstAdmin(email: string, password: string): Promise<void> {
    const passwordHash = await this.passwords.hash(password);
    await this.transactions.inTransaction((tx) =>
      this.insert(tx, { name: 'First admin', email, isAdmin: true, passwordHash }),
    );
  }

  /** The user who may sign in with an address, and the number that a session of theirs must carry, if there is one. */
  async findForSignIn(
    email: string,
  ): Promise<Pick<User, 'id' | 'state' | 'passwordHash' | 'credentialsVersion'> | null> {
    return this.users.findOneBy({ emailKey: fold(email) });
  }

  /**
   * Notes that a user signs in, unless they were deactivated or deleted, or got another password, since their password
   * was checked. Returns whether they may.
   */
  async signIn(tx: EntityManager, id: number, credentialsVersion: number): Promise<boolean> {
    const user = await tx.findOne(User, { where: { id, state: 'active', credentialsVersion }, ...forUpdate(tx) });
    if (!user) {
      return false;
    }
    await tx.update(User, { id }, { lastSignedIn: this.clock.now() });
    return true;
  }

  private async insert(
    tx: EntityManager,
    { email, ...given }: Pick<User, 'name' | 'email' | 'isAdmin' | 'passwordHash'>,
  ): Promise<User> {
    const now = this.clock.now();
    const user = tx.create(User, {
      ...given,
      email,
      emailKey: fold(email),
      state: 'active',
      created: now,
      modified: now,
      credentialsVersion: 1,
      lastSignedIn: null,
    });
    await tx.insert(User, user);
    return user;
  }
}
