import type { Caller } from './caller.js';

/** Work that the process does by itself, whoever began it. */
export type SystemTask = 'campaign-deletion' | 'expired-rows' | 'usage';

/**
 * On whose authority something is written: the caller of a request; nobody yet, who is signing in; the operator, at the
 * command line; or the process itself. There is no other.
 */
export type Actor =
  | Caller
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'operator' }
  | { readonly kind: 'system'; readonly task: SystemTask };

/** Whoever is signing in. */
export const ANONYMOUS: Actor = { kind: 'anonymous' };
/** Whoever starts the process or gives it a command. */
export const OPERATOR: Actor = { kind: 'operator' };

/** The process itself, at one of its tasks. */
export const system = (task: SystemTask): Actor => ({ kind: 'system', task });
