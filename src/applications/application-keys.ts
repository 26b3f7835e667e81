import type { EntityManager } from 'typeorm';

/**
 * Finds the keys that depend on an Application. The feature that owns keys provides this, so that Applications do not
 * depend on keys.
 */
export interface ApplicationKeys {
  /** Returns the keys that end with an Application because they are limited to it alone, up to a thousand. */
  onlyFor(tx: EntityManager, applicationId: number): Promise<{ id: number; name: string; hint: string }[]>;
}

/** The provider of `ApplicationKeys`. */
export const APPLICATION_KEYS = Symbol('latchkey:application-keys');
