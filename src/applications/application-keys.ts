import type { EntityManager } from 'typeorm';

/** Tells which keys hang on an Application: the feature that owns keys provides it, and Applications know nothing of keys. */
export interface ApplicationKeys {
  /** Names the keys that end with an Application, because they are limited to it alone; up to a thousand of them. */
  onlyFor(tx: EntityManager, applicationId: number): Promise<{ id: number; name: string; hint: string }[]>;
}

/** The provider of `ApplicationKeys`. */
export const APPLICATION_KEYS = Symbol('latchkey:application-keys');
