import type { EntityManager } from 'typeorm';

/** Tells how many keys hang on a user, for features that own keys to contribute: users know nothing of keys. */
export interface KeysOfUser {
  /** Keys that the user made, expired ones included. */
  count(tx: EntityManager, userId: number): Promise<number>;
  /** Keys that stop with the user's deactivation, and revive with it: those that are not expired. */
  countLiving(tx: EntityManager, userId: number): Promise<number>;
}
