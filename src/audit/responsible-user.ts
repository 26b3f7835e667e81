import type { Principal } from '../access/principal.js';

/** Returns the user who is responsible for what a caller does: the user, or the creator of the key. */
export function responsibleUser(caller: Principal): number {
  switch (caller.kind) {
    case 'user':
      return caller.userId;
    case 'api-key':
      return caller.createdBy;
    default:
      return caller satisfies never;
  }
}
