import type { EntityManager } from 'typeorm';

/** A key as the audit log names it. */
export interface KeyName {
  id: number;
  name: string;
  hint: string;
}

/**
 * Counts and names the keys of a user. The feature that owns keys provides this, so that users do not depend on keys.
 */
export interface UserKeyCounts {
  /** Counts the keys that the user created, including expired ones. */
  count(tx: EntityManager, userId: number): Promise<number>;
  /**
   * Counts the keys that have not expired: they stop when the user is deactivated, and work again when the user is
   * activated.
   */
  countLiving(tx: EntityManager, userId: number): Promise<number>;
  /** Returns the names of those keys, up to a thousand. */
  namesOfLiving(tx: EntityManager, userId: number): Promise<KeyName[]>;
}

/** The provider of `UserKeyCounts`. */
export const USER_KEY_COUNTS = Symbol('latchkey:user-key-counts');
