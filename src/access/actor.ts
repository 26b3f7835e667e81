import type { Caller } from './caller.js';

/** A task that the process runs on its own authority. */
export type SystemTask = 'campaign-deletion' | 'expired-rows' | 'usage';

/**
 * On whose authority a write happens: the caller of a request, an unauthenticated client that signs in, the operator at
 * the command line, or the process itself. The union is closed.
 */
export type Actor =
  | Caller
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'operator' }
  | { readonly kind: 'system'; readonly task: SystemTask };

/** An unauthenticated client that signs in. */
export const ANONYMOUS: Actor = { kind: 'anonymous' };
/** The person who starts the process or runs one of its commands. */
export const OPERATOR: Actor = { kind: 'operator' };

/** Creates the actor for a task of the process. */
export const system = (task: SystemTask): Actor => ({ kind: 'system', task });
