import { type EntityManager, In } from 'typeorm';
import { fold } from '../database/fold.js';
import { forUpdate } from '../database/transactions/locking.js';
import { Problem } from '../problems/problem.js';
import { User } from './user.entity.js';

/** Identifies a user. */
export type UserTarget = { id: number } | { email: string };

/** Users whose rows are locked until the transaction ends. */
export interface LockedUsers {
  target: UserTarget;
  rows: readonly User[];
}

/** The target user, whose row is locked until the transaction ends. */
export interface LockedUser {
  user: User;
  /** Whether no other user is an active admin. While the lock is held, no user can become or cease to be one. */
  isLastAdmin: boolean;
}

/** The fields of a user that may change, except the password. */
export type UserChange = Partial<Pick<User, 'name' | 'state' | 'isAdmin'>>;

/**
 * Locks the target user, the actor's own row and all active admins, in one query and in the order of their ids. Two
 * such transactions therefore never deadlock, and none counts admins while another one removes one.
 */
export function lockUsers(target: UserTarget): (tx: EntityManager, actorUserIds: number[]) => Promise<LockedUsers> {
  return async (tx, actorUserIds) => {
    const where = 'id' in target ? { id: target.id } : { emailKey: fold(target.email) };
    const rows = await tx.find(User, {
      where: [{ isAdmin: true, state: 'active' }, where, { id: In(actorUserIds) }],
      order: { id: 'ASC' },
      ...forUpdate(tx),
    });
    return { target, rows };
  };
}

/** Returns the target user among the locked ones. Throws `user-not-found`. */
export function targetOf({ target, rows }: LockedUsers): LockedUser {
  const user = rows.find((row) =>
    'id' in target ? row.id === target.id : row.emailKey !== null && row.emailKey === fold(target.email),
  );
  if (!user || user.state === 'deleted') {
    throw new Problem(
      'user-not-found',
      'id' in target ? `There is no user ${target.id}.` : 'There is no user with this e-mail address.',
    );
  }
  const admins = rows.filter(isActiveAdmin);
  return { user, isLastAdmin: admins.length === 1 && admins[0] === user };
}

/** Refuses a change that would leave no active admin. Throws `last-admin`. */
export function keepOneAdmin({ user, isLastAdmin }: LockedUser, change: UserChange): void {
  if (isLastAdmin && !isActiveAdmin({ ...user, ...change })) {
    throw new Problem('last-admin', `User ${user.id} is the last active admin: create another one first.`);
  }
}

function isActiveAdmin({ state, isAdmin }: Pick<User, 'state' | 'isAdmin'>): boolean {
  return isAdmin && state === 'active';
}
