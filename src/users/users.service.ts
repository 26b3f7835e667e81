import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, type FindOptionsWhere, Not, Raw } from 'typeorm';
import { OPERATOR } from '../access/actor.js';
import type { Caller } from '../access/caller.js';
import { Transactions } from '../authority/transactions.js';
import type { Write } from '../authority/write.js';
import { differs } from '../audit/differs.js';
import { Clock } from '../config/clock.js';
import { UniqueViolation } from '../database/driver-errors.js';
import { containing, fold } from '../database/fold.js';
import { forUpdate, forShare } from '../database/transactions/locking.js';
import type { ReadRepository } from '../database/reading/read-repository.js';
import { validationFailed } from '../problems/validation-failed.js';
import { Problem } from '../problems/problem.js';
import { readSort } from '../input/sorting.js';
import { findPasswordFault } from './passwords/password-rules.js';
import { USER_KEY_COUNTS, type UserKeyCounts } from './user-key-counts.js';
import { Passwords } from './passwords/passwords.js';
import { SignInThrottle } from './sign-in/sign-in-throttle.js';
import { keepOneAdmin, type LockedUser, lockUsers, targetOf, type UserChange } from './user-changes.js';
import { User } from './user.entity.js';
import { userSnapshot, userView } from './user-views.js';
import type { ChangedUser, NewUser, UserPage, UserQuery, UserUpdate, UserView } from './users.dto.js';

const SORT_COLUMNS = {
  id: 'id',
  created: 'created',
  modified: 'modified',
  email: 'emailKey',
  name: 'nameKey',
  state: 'state',
  lastSignedIn: 'lastSignedIn',
} as const;

/** Creates, changes and deletes users. */
@Injectable()
export class UsersService {
  constructor(
    @InjectRepository(User) private readonly users: ReadRepository<User>,
    private readonly transactions: Transactions,
    private readonly passwords: Passwords,
    private readonly throttle: SignInThrottle,
    private readonly clock: Clock,
    @Inject(USER_KEY_COUNTS) private readonly keys: UserKeyCounts,
  ) {}

  /** Returns a user by id. Throws `user-not-found`, also for a deleted user. */
  async get(id: number): Promise<UserView> {
    const user = await this.users.findOneBy({ id, state: Not('deleted') });
    if (!user) {
      throw new Problem('user-not-found', `There is no user ${id}.`);
    }
    return userView(user);
  }

  /** Returns one page of the users that match a query. */
  async list({ pageSize, skip, sort, state, email, name }: UserQuery): Promise<UserPage> {
    const where: FindOptionsWhere<User> = {
      state: state ?? Not('deleted'),
      ...(email !== undefined && { emailKey: contains('email', email) }),
      ...(name !== undefined && { nameKey: contains('name', name) }),
    };
    const { column, direction } = readSort(sort, SORT_COLUMNS);
    const [users, totalResultSize] = await this.users.findAndCount({
      where,
      order: { [column]: direction, id: direction },
      take: pageSize,
      skip,
    });
    return { totalResultSize, data: users.map(userView) };
  }

  /** Creates a user. Throws `validation-failed` and `email-taken`. */
  async create(caller: Caller, { name, email, password, isAdmin = false }: NewUser): Promise<UserView> {
    const fault = await findPasswordFault(password, { name, email });
    if (fault !== undefined) {
      throw validationFailed([{ pointer: '/password', detail: fault }]);
    }
    const passwordHash = await this.passwords.hash(password);
    try {
      return await this.transactions.changeAuthority(caller, async (write) => {
        const user = await this.insert(write.tx, { name, email, isAdmin, passwordHash });
        write.record({ entity: 'POST /v1/users', new: userSnapshot(user) });
        return userView(user);
      });
    } catch (error) {
      if (error instanceof UniqueViolation) {
        throw new Problem('email-taken', 'Another user has this e-mail address.', {}, { cause: error });
      }
      throw error;
    }
  }

  /** Creates the first admin. */
  async createFirstAdmin(email: string, password: string): Promise<void> {
    const passwordHash = await this.passwords.hash(password);
    await this.transactions.changeAuthority(OPERATOR, async (write) => {
      const user = await this.insert(write.tx, { name: 'First admin', email, isAdmin: true, passwordHash });
      write.record({ entity: 'first start', new: userSnapshot(user) });
    });
  }

  /** Changes a user's name, state or role. Throws `user-not-found` and `last-admin`. */
  async update(caller: Caller, id: number, { name, state, isAdmin }: UserUpdate): Promise<ChangedUser> {
    const change = {
      ...(name !== undefined && { name }),
      ...(state && { state }),
      ...(isAdmin !== undefined && { isAdmin }),
    };
    return this.transactions.endAuthority(caller, lockUsers({ id }), async (write, users) => {
      const locked = targetOf(users);
      const keysAffected = await this.change(write, `PUT /v1/users/${id}`, locked, change);
      return { ...userView(locked.user), keysAffected };
    });
  }

  /** Deletes a user for ever. Returns how many working keys end with it. Throws `user-not-found` and `last-admin`. */
  async delete(caller: Caller, id: number): Promise<number> {
    return this.transactions.endAuthority(caller, lockUsers({ id }), (write, users) =>
      this.erase(write, `DELETE /v1/users/${id}`, targetOf(users)),
    );
  }

  /**
   * Activates or deactivates a user by e-mail address. Returns how many keys stop or work again. Throws
   * `user-not-found`, `last-admin` and, if a key may not change this user, `user-protected`.
   */
  async setStateByEmail(caller: Caller, email: string, state: 'active' | 'deactivated'): Promise<number> {
    const verb = state === 'active' ? 'activate' : 'deactivate';
    return this.transactions.endAuthority(caller, lockUsers({ email }), async (write, users) => {
      const locked = targetOf(users);
      await this.protect(write.tx, caller, locked.user);
      return this.change(write, `POST /v1/users/${verb}`, locked, { state });
    });
  }

  /** Deletes a user by e-mail address, like `delete`. Throws like `setStateByEmail`. */
  async deleteByEmail(caller: Caller, email: string): Promise<number> {
    return this.transactions.endAuthority(caller, lockUsers({ email }), async (write, users) => {
      const locked = targetOf(users);
      await this.protect(write.tx, caller, locked.user);
      return this.erase(write, 'POST /v1/users/delete', locked);
    });
  }

  /** Holds a shared lock on a user until the transaction ends. */
  async hold(tx: EntityManager, id: number): Promise<void> {
    await tx.find(User, { select: { id: true }, where: { id }, ...forShare(tx) });
  }

  /**
   * Records a sign-in, unless the user was deactivated or deleted, or got another password, since their password was
   * checked. Returns whether the user may sign in.
   */
  async signIn(tx: EntityManager, id: number, credentialsVersion: number): Promise<boolean> {
    const user = await tx.findOne(User, { where: { id, state: 'active', credentialsVersion }, ...forUpdate(tx) });
    if (!user) {
      return false;
    }
    await tx.update(User, { id }, { lastSignedIn: this.clock.now() });
    return true;
  }

  /**
   * Refuses keys that change an admin or an owner of keys: a leaked key must neither activate an admin nor stop the
   * keys of others.
   */
  private async protect(tx: EntityManager, { principal }: Caller, user: User): Promise<void> {
    if (principal.kind === 'api-key' && (user.isAdmin || (await this.keys.count(tx, user.id)) > 0)) {
      throw new Problem('user-protected', 'A key can change only users who are not admins and have no keys.');
    }
  }

  private async insert(
    tx: EntityManager,
    given: Pick<User, 'name' | 'email' | 'isAdmin' | 'passwordHash'>,
  ): Promise<User> {
    const now = this.clock.now();
    const user = tx.create(User, {
      ...given,
      nameKey: fold(given.name),
      emailKey: fold(given.email),
      state: 'active',
      created: now,
      modified: now,
      credentialsVersion: 1,
      lastSignedIn: null,
    });
    await tx.insert(User, user);
    return user;
  }

  /** Changes a locked user, in the row and in memory. Returns how many keys it affects. */
  private async change(write: Write, entity: string, locked: LockedUser, change: UserChange): Promise<number> {
    const { user } = locked;
    const old = userSnapshot(user);
    const statesDiffer = change.state !== undefined && change.state !== user.state;
    if (!differs(user, change)) {
      return 0;
    }
    keepOneAdmin(locked, change);
    const values = {
      ...change,
      ...(change.name !== undefined && { nameKey: fold(change.name) }),
      ...(statesDiffer && change.state === 'deactivated' && { credentialsVersion: user.credentialsVersion + 1 }),
      modified: this.clock.now(),
    };
    await write.tx.update(User, { id: user.id }, values);
    Object.assign(user, values);
    write.record({ entity, old, new: userSnapshot(user) });
    return statesDiffer ? this.keys.countLiving(write.tx, user.id) : 0;
  }

  private async erase(write: Write, entity: string, locked: LockedUser): Promise<number> {
    const { user } = locked;
    const { tx } = write;
    keepOneAdmin(locked, { state: 'deleted' });
    const keysAffected = await this.keys.countLiving(tx, user.id);
    const endedKeys = await this.keys.namesOfLiving(tx, user.id);
    await tx.update(
      User,
      { id: user.id },
      {
        name: '',
        nameKey: '',
        email: '',
        emailKey: null,
        passwordHash: '',
        state: 'deleted',
        isAdmin: false,
        credentialsVersion: user.credentialsVersion + 1,
        modified: this.clock.now(),
      },
    );
    await this.throttle.forget(tx, user.id);
    write.record({ entity, old: { ...userSnapshot(user), ...(keysAffected > 0 && { keysAffected, endedKeys }) } });
    return keysAffected;
  }
}

/** The names of parameters must differ: TypeORM keeps only one parameter per name, and silently drops the others. */
function contains(parameter: 'email' | 'name', text: string): ReturnType<typeof Raw> {
  return Raw((column) => `${column} LIKE :${parameter} ESCAPE '!'`, { [parameter]: containing(fold(text)) });
}
