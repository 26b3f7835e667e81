import type { EntityManager } from 'typeorm';
import type { Clock } from '../../config/clock.js';
import { engineIn } from '../../database/data-source.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import { SignInAttempt } from './sign-in-attempt.entity.js';

/** The failures that one counter holds. */
export interface Failures {
  amount: number;
  /** How much longer they count, in milliseconds. */
  msLeft: number;
}

/**
 * Creates a counter, or adds 1 unless it has expired. On MySQL `amount` is set first, while `expires` still has its old
 * value.
 */
const ADD = {
  mysql: `INSERT INTO sign_in_attempts (counter, amount, expires) VALUES (?, 1, ?) AS new_one
    ON DUPLICATE KEY UPDATE
      amount = IF(sign_in_attempts.expires <= ?, new_one.amount, sign_in_attempts.amount + new_one.amount),
      expires = IF(sign_in_attempts.expires <= ?, new_one.expires, sign_in_attempts.expires)`,
  sqlite: `INSERT INTO sign_in_attempts (counter, amount, expires) VALUES (?, 1, ?)
    ON CONFLICT (counter) DO UPDATE SET
      amount = CASE WHEN expires <= ? THEN excluded.amount ELSE amount + excluded.amount END,
      expires = CASE WHEN expires <= ? THEN excluded.expires ELSE expires END`,
};

/** Limits failures in a window of time. All replicas share the limit, because the database holds the counters. */
export class FailureLimit {
  constructor(
    private readonly counters: ReadRepository<SignInAttempt>,
    private readonly clock: Clock,
    private readonly name: string,
    /** How many failures a counter may hold. */
    readonly max: number,
    private readonly windowMs: number,
  ) {}

  /** Returns the name under which a counter is stored. */
  counterOf(key: string): string {
    return `${this.name}:${key}`;
  }

  /** Returns the current failures of a counter from the database. */
  async read(key: string): Promise<Failures> {
    return this.asFailures(await this.counters.findOneBy({ counter: this.counterOf(key) }));
  }

  /** Adds a failure. Returns all failures that count now. */
  async add(tx: EntityManager, key: string): Promise<Failures> {
    const counter = this.counterOf(key);
    const now = this.clock.now();
    await tx.query(ADD[engineIn(tx)], [counter, now + this.windowMs, now, now]);
    return this.asFailures(await tx.findOneBy(SignInAttempt, { counter }));
  }

  /** Removes a failure, unless it no longer counts. */
  async takeBack(tx: EntityManager, key: string): Promise<void> {
    await tx
      .createQueryBuilder()
      .update(SignInAttempt)
      .set({ amount: () => 'amount - 1' })
      .where('counter = :counter AND amount >= 1 AND expires > :now', {
        counter: this.counterOf(key),
        now: this.clock.now(),
      })
      .execute();
  }

  /** Deletes all failures of a counter. */
  async clear(tx: EntityManager, key: string): Promise<void> {
    await tx.delete(SignInAttempt, { counter: this.counterOf(key) });
  }

  private asFailures(stored: SignInAttempt | null): Failures {
    const msLeft = stored === null ? 0 : stored.expires - this.clock.now();
    return stored === null || msLeft <= 0 ? { amount: 0, msLeft: 0 } : { amount: stored.amount, msLeft };
  }
}
