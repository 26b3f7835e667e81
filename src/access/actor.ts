import type { Caller } from './caller.js';

/** Work that the process does on its own authority. */
export type SystemTask = 'campaign-deletion' | 'expired-rows' | 'usage';

/**
 * On whose authority something is written: the caller of a request, an unauthenticated client that signs in, the operator
 * at the command line, or the process itself. The union is closed.
 */
export type Actor =
  | Caller
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'operator' }
  | { readonly kind: 'system'; readonly task: SystemTask };

/** An unauthenticated client that signs in. */
export const ANONYMOUS: Actor = { kind: 'anonymous' };
/** The person who starts the process or runs a command of it. */
export const OPERATOR: Actor = { kind: 'operator' };

/** The process itself, at one of its tasks. */
export const system = (task: SystemTask): Actor => ({ kind: 'system', task });
