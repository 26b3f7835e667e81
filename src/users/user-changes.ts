import { type EntityManager, In } from 'typeorm';
import { fold } from '../database/fold.js';
import { forUpdate } from '../database/transactions/locking.js';
import { Problem } from '../problems/problem.js';
import { User } from './user.entity.js';

/** Which user is meant. */
export type UserTarget = { id: number } | { email: string };

/** Users whose rows are locked until the transaction ends. */
export interface LockedUsers {
  target: UserTarget;
  rows: readonly User[];
}

/** The user who is meant, whose row is locked until the transaction ends. */
export interface LockedUser {
  user: User;
  /** Nobody else is an active admin, and nobody can become or cease to be one meanwhile. */
  isLastAdmin: boolean;
}

/** What may change about a user, apart from the password. */
export type UserChange = Partial<Pick<User, 'name' | 'state' | 'isAdmin'>>;

/**
 * Locks a user together with the actor's own and all active admins, in one query and in the order of their ids: no two
 * such transactions wait for each other, and none counts admins while another makes one less.
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

/** The user who is meant among those that were locked. Throws `user-not-found`. */
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

/** Refuses a change after which there would be no active admin any more. Throws `last-admin`. */
export function keepOneAdmin({ user, isLastAdmin }: LockedUser, change: UserChange): void {
  if (isLastAdmin && !isActiveAdmin({ ...user, ...change })) {
    throw new Problem('last-admin', `User ${user.id} is the last active admin: make another one first.`);
  }
}

function isActiveAdmin({ state, isAdmin }: Pick<User, 'state' | 'isAdmin'>): boolean {
  return isAdmin && state === 'active';
}
