import { toRfc3339 } from '../database/times.js';
import type { User } from './user.entity.js';
import type { UserView } from './users.dto.js';

/**
 * Returns a user as the API shows it, without the password hash. Throws for a deleted user, because the API never shows
 * one.
 */
export function userView(user: User): UserView {
  if (user.state === 'deleted') {
    throw new Error(`user ${user.id} is deleted and must not be shown`);
  }
  return {
    id: user.id,
    created: toRfc3339(user.created),
    modified: toRfc3339(user.modified),
    email: user.email,
    accountId: 1,
    inviteToken: '',
    name: user.name,
    state: user.state,
    isAdmin: user.isAdmin,
    policy: {},
    roles: [],
    lastSignedIn: user.lastSignedIn === null ? null : toRfc3339(user.lastSignedIn),
  };
}

/** Returns the facts about a user for the audit log. */
export function userSnapshot(user: User): Record<string, unknown> {
  const { id, name, email, state, isAdmin } = user;
  return { id, name, email, state, isAdmin };
}
