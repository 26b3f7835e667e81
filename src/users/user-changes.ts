import type { EntityManager } from 'typeorm';
import { fold } from '../database/fold.js';
import { forUpdate } from '../database/locking.js';
import { Problem } from '../http/problem.js';
import { User } from './user.entity.js';

/** Which user is meant. */
export type UserTarget = { id: number } | { email: string };

/** A user whose row is locked until the transaction ends. */
export interface LockedUser {
  user: User;
  /** Nobody else is an active admin, and nobody can become or cease to be one meanwhile. */
  isLastAdmin: boolean;
}

/** What may change about a user, apart from the password. */
export type UserChange = Partial<Pick<User, 'name' | 'state' | 'isAdmin'>>;

/**
 * Locks a user together with all active admins, in one statement and in the order of their ids: who counts admins and
 * then makes one less must not be overtaken by somebody who does the same. Throws `user-not-found`.
 */
export async function lockUser(tx: EntityManager, target: UserTarget): Promise<LockedUser> {
  const where = 'id' in target ? { id: target.id } : { emailKey: fold(target.email) };
  const locked = await tx.find(User, {
    where: [{ isAdmin: true, state: 'active' }, where],
    order: { id: 'ASC' },
    ...forUpdate(tx),
  });
  const user = locked.find((row) =>
    'id' in target ? row.id === target.id : row.emailKey !== null && row.emailKey === fold(target.email),
  );
  if (!user || user.state === 'deleted') {
    throw new Problem(
      'user-not-found',
      'id' in target ? `There is no user ${target.id}.` : 'There is no user with this e-mail address.',
    );
  }
  const admins = locked.filter(isActiveAdmin);
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
