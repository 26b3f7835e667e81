import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import {
  Between,
  type EntityManager,
  type EntityTarget,
  type FindOptionsWhere,
  LessThanOrEqual,
  MoreThan,
  type ObjectLiteral,
} from 'typeorm';
import { ANONYMOUS, system } from '../../access/actor.js';
import { Clock } from '../../config/clock.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import { Transactions } from '../../authority/transactions.js';
import { Problem } from '../../problems/problem.js';
import { FailureLimit, type Failures } from './failure-limit.js';
import { SignInAddress, SignInAttempt } from './sign-in-attempt.entity.js';

const WINDOW_MS = 15 * 60 * 1000;
const FAILURES_MAX = { pair: 5, address: 50, account: 100 } as const;
/** So long is an address known after a sign-in from it. */
const KNOWN_MS = 30 * 24 * 60 * 60 * 1000;
const PURGE_ROWS_MAX = 250;

/** Somebody's claim to be a user. */
export interface Attempt {
  /** The folded e-mail address that was given, whether or not there is such a user. */
  emailKey: string;
  /** The user with that address, if there is one. */
  userId: number | undefined;
  /** The group of addresses that the claim comes from. */
  address: string;
}

/** An attempt that may be judged. */
export interface AdmittedAttempt extends Attempt {
  /** Whether the user signed in from that address lately. */
  isKnown: boolean;
}

/** Where an attempt counts. */
interface Counter {
  limit: FailureLimit;
  key: string;
  /** Whether the attempt is refused if too many were counted here. */
  refuses: boolean;
}

/**
 * Bounds how often passwords can be guessed: for an account from one address, from one address, and for an account from
 * everywhere. The last of these does not shut out addresses from which the account was signed in to lately, so that
 * nobody can lock others out of their accounts for ever.
 */
@Injectable()
export class SignInThrottle {
  /** How many attempts each counter has that this process is judging. */
  private readonly underWay = new Map<string, number>();
  private readonly limits: Record<keyof typeof FAILURES_MAX, FailureLimit>;

  constructor(
    @InjectRepository(SignInAttempt) attempts: ReadRepository<SignInAttempt>,
    @InjectRepository(SignInAddress) private readonly addresses: ReadRepository<SignInAddress>,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {
    const limit = (name: keyof typeof FAILURES_MAX): FailureLimit =>
      new FailureLimit(attempts, clock, name, FAILURES_MAX[name], WINDOW_MS);
    this.limits = { pair: limit('pair'), address: limit('address'), account: limit('account') };
  }

  /** Lets an attempt be judged, unless too many failed. Most refusals end here, and cost no write. Throws `too-many-attempts`. */
  async admit(attempt: Attempt): Promise<AdmittedAttempt> {
    const admitted = { ...attempt, isKnown: await this.isKnown(attempt) };
    for (const { limit, key, refuses } of this.countersOf(admitted)) {
      const failures = await limit.read(key);
      if (refuses && failures.amount >= limit.max) {
        throw this.tooMany({ limit, key }, failures);
      }
    }
    return admitted;
  }

  /**
   * Counts an attempt as a failure, before anybody knows whether it is one: guesses that are made at the same time count
   * as well. If it is none, it is taken back, the failures before it are forgiven, and its address is known from then on.
   * Attempts that are refused count nowhere. Throws `too-many-attempts`.
   *
   * @param find finds the user who the attempt proves to be
   */
  async judge<User extends { id: number }>(
    attempt: AdmittedAttempt,
    find: () => Promise<User | undefined>,
  ): Promise<User | undefined> {
    const counters = this.countersOf(attempt);
    this.noteUnderWay(counters, 1);
    try {
      await this.transactions.write(ANONYMOUS, async ({ tx }) => {
        for (const { limit, key, refuses } of counters) {
          const failures = await limit.add(tx, key);
          if (refuses && failures.amount > limit.max) {
            throw this.tooMany({ limit, key }, failures);
          }
        }
      });
      const user = await find();
      if (user) {
        await this.succeed(attempt, user.id);
      }
      return user;
    } finally {
      this.noteUnderWay(counters, -1);
    }
  }

  /** Forgets from where a user signed in. */
  async forget(tx: EntityManager, userId: number): Promise<void> {
    await tx.delete(SignInAddress, { userId });
  }

  /**
   * Forgives all failures at an account, from wherever they came: they were guesses at a password that it no longer has.
   * What counts for an address alone stays.
   */
  async lift(tx: EntityManager, emailKey: string): Promise<void> {
    const { account, pair } = this.limits;
    const key = accountOf({ emailKey });
    await account.clear(tx, key);
    // A range instead of LIKE, for which SQLite would read the whole table: `;` is what comes after `:`.
    const pairs = pair.counterOf(key);
    await tx.delete(SignInAttempt, { counter: Between(`${pairs}:`, `${pairs};`) });
  }

  /** Deletes what has expired, so many rows at a time. */
  async purge(): Promise<void> {
    const expires = LessThanOrEqual(this.clock.now());
    await this.purgeRows(SignInAddress, { expires }, ({ userId, address }) => ({ userId, address, expires }));
    await this.purgeRows(SignInAttempt, { expires }, ({ counter }) => ({ counter, expires }));
  }

  private async purgeRows<Row extends ObjectLiteral>(
    entity: EntityTarget<Row>,
    where: FindOptionsWhere<Row>,
    exactly: (row: Row) => FindOptionsWhere<Row>,
  ): Promise<void> {
    for (let deleted = PURGE_ROWS_MAX; deleted === PURGE_ROWS_MAX;) {
      deleted = await this.transactions.write(system('expired-rows'), async ({ tx }) => {
        const rows = await tx.find(entity, { where, take: PURGE_ROWS_MAX });
        if (rows.length > 0) {
          await tx.delete(entity, rows.map(exactly));
        }
        return rows.length;
      });
    }
  }

  /** The attempt was no guess. */
  private async succeed(attempt: Attempt, userId: number): Promise<void> {
    const { address, account, pair } = this.limits;
    await this.transactions.write(ANONYMOUS, async ({ tx }) => {
      await address.takeBack(tx, attempt.address);
      await account.takeBack(tx, accountOf(attempt));
      await pair.clear(tx, pairOf(attempt));
      const known = { userId, address: attempt.address, expires: this.clock.now() + KNOWN_MS };
      await tx.upsert(SignInAddress, known, ['userId', 'address']);
    });
  }

  /** Asks the database for nobody as well: how long this takes does not tell whether there is such a user. */
  private isKnown({ userId = 0, address }: Attempt): Promise<boolean> {
    return this.addresses.existsBy({ userId, address, expires: MoreThan(this.clock.now()) });
  }

  /** Always in the same order, so that two attempts never wait for one another. */
  private countersOf(attempt: AdmittedAttempt): Counter[] {
    const { address, account, pair } = this.limits;
    return [
      { limit: address, key: attempt.address, refuses: true },
      { limit: account, key: accountOf(attempt), refuses: !attempt.isKnown },
      { limit: pair, key: pairOf(attempt), refuses: true },
    ];
  }

  private noteUnderWay(counters: Counter[], change: 1 | -1): void {
    for (const counter of counters) {
      const key = counter.limit.counterOf(counter.key);
      const amount = (this.underWay.get(key) ?? 0) + change;
      if (amount === 0) {
        this.underWay.delete(key);
      } else {
        this.underWay.set(key, amount);
      }
    }
  }

  /** What is being judged right now counts as failed, and perhaps is none. */
  private tooMany({ limit, key }: Pick<Counter, 'limit' | 'key'>, { amount, msLeft }: Failures): Problem {
    const failures = amount - (this.underWay.get(limit.counterOf(key)) ?? 0);
    if (failures < limit.max) {
      return new Problem('too-many-attempts', 'Too many sign-ins are being checked at once: try again in a second.', {
        retryAfterSeconds: 1,
      });
    }
    const retryAfterSeconds = Math.max(1, Math.ceil(msLeft / 1000));
    return new Problem('too-many-attempts', `Too many failed sign-ins: try again in ${retryAfterSeconds} seconds.`, {
      retryAfterSeconds,
    });
  }
}

/** Hashed, because people type passwords into the wrong field. */
function accountOf({ emailKey }: Pick<Attempt, 'emailKey'>): string {
  return createHash('sha256').update(emailKey).digest('hex');
}

function pairOf(attempt: Attempt): string {
  return `${accountOf(attempt)}:${attempt.address}`;
}
