import type { EntityManager } from 'typeorm';

/** A key as the audit log names it. */
export interface KeyName {
  id: number;
  name: string;
  hint: string;
}

/** Tells which keys hang on a user: the feature that owns keys provides it, and users know nothing of keys. */
export interface UserKeyCounts {
  /** Counts keys that the user made, expired ones included. */
  count(tx: EntityManager, userId: number): Promise<number>;
  /** Counts keys that stop with the user's deactivation, and revive with it: those that are not expired. */
  countLiving(tx: EntityManager, userId: number): Promise<number>;
  /** Names those keys, up to a thousand of them. */
  namesOfLiving(tx: EntityManager, userId: number): Promise<KeyName[]>;
}

/** The provider of `UserKeyCounts`. */
export const USER_KEY_COUNTS = Symbol('latchkey:user-key-counts');
