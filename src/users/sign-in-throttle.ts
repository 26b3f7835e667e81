import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { RateLimiterRes } from 'rate-limiter-flexible';
import { type EntityManager, LessThanOrEqual, In, MoreThan } from 'typeorm';
import { Clock } from '../config/clock.js';
import type { ReadRepository } from '../database/read-repository.js';
import { Transactions } from '../database/transactions.js';
import { Problem } from '../http/problem.js';
import { SignInAddress, SignInAttempt } from './sign-in-attempt.entity.js';
import { StoredRateLimiter } from './stored-rate-limiter.js';

const WINDOW_SECONDS = 15 * 60;
const FAILURES_MAX = { pair: 5, address: 50, account: 100 } as const;
/** So long is an address known after a sign-in from it. */
const KNOWN_MS = 30 * 24 * 60 * 60 * 1000;
const PURGE_ROWS_MAX = 1000;

/** Somebody's claim to be a user. */
export interface Attempt {
  /** The folded e-mail address that was given, whether or not there is such a user. */
  emailKey: string;
  /** The user with that address, if there is one. */
  userId: number | undefined;
  /** The group of addresses that the claim comes from. */
  address: string;
}

/**
 * Bounds how often passwords can be guessed: for an account from one address, from one address, and for an account from
 * everywhere. The last of these does not shut out addresses from which the account was signed in to lately, so that
 * nobody can lock others out of their accounts for ever.
 */
@Injectable()
export class SignInThrottle {
  private readonly limiters: Record<keyof typeof FAILURES_MAX, StoredRateLimiter>;

  constructor(
    @InjectRepository(SignInAttempt) attempts: ReadRepository<SignInAttempt>,
    @InjectRepository(SignInAddress) private readonly addresses: ReadRepository<SignInAddress>,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {
    const limiter = (name: keyof typeof FAILURES_MAX): StoredRateLimiter =>
      new StoredRateLimiter(attempts, clock, { name, points: FAILURES_MAX[name], seconds: WINDOW_SECONDS });
    this.limiters = { pair: limiter('pair'), address: limiter('address'), account: limiter('account') };
  }

  /**
   * Counts an attempt as a failure, before anybody knows whether it is one: guesses that are made at the same time count
   * as well. Attempts that are refused count nowhere. Throws `too-many-attempts`.
   */
  async admit(attempt: Attempt): Promise<void> {
    const known = await this.isKnown(attempt);
    const { address, account, pair } = this.limiters;
    // Always in the same order, so that two attempts never wait for one another.
    const counters = [
      { limiter: address, key: attempt.address, refuses: true },
      { limiter: account, key: accountOf(attempt), refuses: !known },
      { limiter: pair, key: pairOf(attempt), refuses: true },
    ];
    for (const { limiter, key, refuses } of counters) {
      const state = await limiter.get(key);
      if (refuses && state && state.consumedPoints >= limiter.points) {
        // Most refusals end here, and cost no write.
        throw tooMany(state);
      }
    }
    await this.transactions.inTransaction(async (tx) => {
      for (const { limiter, key, refuses } of counters) {
        await (refuses ? consume(limiter, key, tx) : limiter.penalty(key, 1, { tx }));
      }
    });
  }

  /** The attempt was no guess: it is taken back, the failures before it are forgiven, and its address is known now. */
  async succeed(attempt: Attempt & { userId: number }): Promise<void> {
    const { userId, address } = attempt;
    await this.transactions.inTransaction(async (tx) => {
      await this.takeBack(tx, attempt);
      await this.limiters.pair.delete(pairOf(attempt), { tx });
      await tx.upsert(SignInAddress, { userId, address, expires: this.clock.now() + KNOWN_MS }, ['userId', 'address']);
    });
  }

  /** The attempt was never judged: it is taken back. */
  async withdraw(attempt: Attempt): Promise<void> {
    await this.transactions.inTransaction((tx) => this.takeBack(tx, attempt));
  }

  /** Forgets from where a user signed in. */
  async forget(tx: EntityManager, userId: number): Promise<void> {
    await tx.delete(SignInAddress, { userId });
  }

  /** Deletes what has expired, so many rows at a time. */
  async purge(): Promise<void> {
    const expires = LessThanOrEqual(this.clock.now());
    await this.transactions.inTransaction((tx) => tx.delete(SignInAddress, { expires }));
    for (let deleted = PURGE_ROWS_MAX; deleted === PURGE_ROWS_MAX;) {
      deleted = await this.transactions.inTransaction(async (tx) => {
        const rows = await tx.find(SignInAttempt, { where: { expires }, take: PURGE_ROWS_MAX });
        await tx.delete(SignInAttempt, { counter: In(rows.map((row) => row.counter)), expires });
        return rows.length;
      });
    }
  }

  private async takeBack(tx: EntityManager, attempt: Attempt): Promise<void> {
    const { address, account, pair } = this.limiters;
    await address.reward(attempt.address, 1, { tx });
    await account.reward(accountOf(attempt), 1, { tx });
    await pair.reward(pairOf(attempt), 1, { tx });
  }

  /** Asks the database for nobody as well: how long this takes does not tell whether there is such a user. */
  private isKnown({ userId = 0, address }: Attempt): Promise<boolean> {
    return this.addresses.existsBy({ userId, address, expires: MoreThan(this.clock.now()) });
  }
}

async function consume(limiter: StoredRateLimiter, key: string, tx: EntityManager): Promise<void> {
  try {
    await limiter.consume(key, 1, { tx });
  } catch (error) {
    throw error instanceof RateLimiterRes ? tooMany(error) : error;
  }
}

function tooMany(state: RateLimiterRes): Problem {
  const retryAfterSeconds = Math.max(1, Math.ceil(state.msBeforeNext / 1000));
  return new Problem('too-many-attempts', `Too many failed sign-ins: try again in ${retryAfterSeconds} seconds.`, {
    retryAfterSeconds,
  });
}

/** Hashed, because people type passwords into the wrong field. */
function accountOf({ emailKey }: Attempt): string {
  return createHash('sha256').update(emailKey).digest('hex');
}

function pairOf(attempt: Attempt): string {
  return `${accountOf(attempt)}:${attempt.address}`;
}
