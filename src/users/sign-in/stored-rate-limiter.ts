import type { EntityManager } from 'typeorm';
import { RateLimiterRes } from 'rate-limiter-flexible';
import RateLimiterStore from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js';
import type { Clock } from '../../config/clock.js';
import { engineIn } from '../../database/data-source.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import { SignInAttempt } from './sign-in-attempt.entity.js';

/** Options of the limiter's methods: adding points needs a transaction, reading does not. */
export interface StoreOptions {
  tx?: EntityManager;
}

type Counter = Pick<SignInAttempt, 'amount' | 'expires'>;

/**
 * Starts a counter, or adds to it unless it has expired. On MySQL, `amount` must be set before `expires`, because it
 * uses the old value of `expires`.
 */
const ADD = {
  mysql: `INSERT INTO sign_in_attempts (counter, amount, expires) VALUES (?, ?, ?) AS new_one
    ON DUPLICATE KEY UPDATE
      amount = IF(sign_in_attempts.expires <= ?, new_one.amount, sign_in_attempts.amount + new_one.amount),
      expires = IF(sign_in_attempts.expires <= ?, new_one.expires, sign_in_attempts.expires)`,
  sqlite: `INSERT INTO sign_in_attempts (counter, amount, expires) VALUES (?, ?, ?)
    ON CONFLICT (counter) DO UPDATE SET
      amount = CASE WHEN expires <= ? THEN excluded.amount ELSE amount + excluded.amount END,
      expires = CASE WHEN expires <= ? THEN excluded.expires ELSE expires END`,
};

/**
 * Limits that all replicas share, because the counters are in the database. It writes in transactions, and uses the
 * clock of the process.
 */
export class StoredRateLimiter extends RateLimiterStore<Counter, StoreOptions> {
  constructor(
    private readonly counters: ReadRepository<SignInAttempt>,
    private readonly clock: Clock,
    /** The maximum number of points within the number of seconds. */
    limit: { name: string; points: number; seconds: number },
  ) {
    super({ keyPrefix: limit.name, points: limit.points, duration: limit.seconds });
  }

  protected override async _upsert(
    counter: string,
    points: number,
    durationMs: number,
    forceExpire: boolean,
    { tx }: StoreOptions,
  ): Promise<Counter> {
    if (!tx || forceExpire) {
      throw new Error('counting needs a transaction, and nothing here blocks or sets a counter');
    }
    const now = this.clock.now();
    const expires = now + durationMs;
    if (points < 0) {
      await tx
        .createQueryBuilder()
        .update(SignInAttempt)
        .set({ amount: () => 'amount - :points' })
        .where('counter = :counter AND amount >= :points AND expires > :now', { counter, points: -points, now })
        .execute();
    } else {
      await tx.query(ADD[engineIn(tx)], [counter, points, expires, now, now]);
    }
    return (await tx.findOneBy(SignInAttempt, { counter })) ?? { amount: 0, expires };
  }

  protected override async _get(counter: string): Promise<Counter | null> {
    const stored = await this.counters.findOneBy({ counter });
    return stored && stored.expires > this.clock.now() ? stored : null;
  }

  protected override async _delete(counter: string, { tx }: StoreOptions): Promise<boolean> {
    if (!tx) {
      throw new Error('counting needs a transaction');
    }
    const { affected } = await tx.delete(SignInAttempt, { counter });
    return affected === 1;
  }

  protected override _getRateLimiterRes(_counter: string, changedPoints: number, stored: Counter): RateLimiterRes {
    const msBeforeNext = Math.max(stored.expires - this.clock.now(), 0);
    const remaining = Math.max(this.points - stored.amount, 0);
    return new RateLimiterRes(remaining, msBeforeNext, stored.amount, stored.amount === changedPoints);
  }
}
