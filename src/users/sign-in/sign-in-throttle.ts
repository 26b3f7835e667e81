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
/** How long an address stays trusted for an account. */
const KNOWN_MS = 30 * 24 * 60 * 60 * 1000;
const PURGE_ROWS_MAX = 250;

/** An attempt to sign in. */
export interface Attempt {
  /** The folded e-mail address of the request, whether or not such a user exists. */
  emailKey: string;
  /** The user with that e-mail address, if there is one. */
  userId: number | undefined;
  /** The group of the client's address. */
  address: string;
}

/** An attempt whose password may be checked. */
export interface AdmittedAttempt extends Attempt {
  /** Whether the user recently signed in from that address. */
  isKnown: boolean;
}

/** A counter of attempts. */
interface Counter {
  limit: FailureLimit;
  key: string;
  /** Whether this counter refuses the attempt when it is full. */
  refuses: boolean;
}

/**
 * Limits guesses of passwords: for an account from one address, from one address, and for an account from all
 * addresses. The last limit does not apply to addresses from which the user signed in recently, so that an attacker
 * cannot lock out a user for ever.
 */
@Injectable()
export class SignInThrottle {
  /** How many attempts this process is checking, for each counter. */
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

  /**
   * Admits an attempt, unless too many have failed. Most refusals happen here, without a write. Throws
   * `too-many-attempts`.
   */
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
   * Counts an attempt as a failure before its password is checked, so that parallel guesses count too. If the password
   * is correct, this attempt and earlier failures are removed, and its address becomes trusted. Refused attempts are
   * not counted. Throws `too-many-attempts`.
   *
   * @param find finds the user whose password was given
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

  /** Deletes the trusted addresses of a user. */
  async forget(tx: EntityManager, userId: number): Promise<void> {
    await tx.delete(SignInAddress, { userId });
  }

  /**
   * Deletes all failures at an account, from all addresses, because they were guesses at its old password. The counters
   * of addresses stay.
   */
  async lift(tx: EntityManager, emailKey: string): Promise<void> {
    const { account, pair } = this.limits;
    const key = accountOf({ emailKey });
    await account.clear(tx, key);
    // A range instead of LIKE, because SQLite would scan the whole table: `;` is the character after `:`.
    const pairs = pair.counterOf(key);
    await tx.delete(SignInAttempt, { counter: Between(`${pairs}:`, `${pairs};`) });
  }

  /** Deletes expired rows, a limited number at a time. */
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

  /** Records that the attempt succeeded. */
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

  /** Queries the database also without a user, so that the time does not reveal whether the user exists. */
  private isKnown({ userId = 0, address }: Attempt): Promise<boolean> {
    return this.addresses.existsBy({ userId, address, expires: MoreThan(this.clock.now()) });
  }

  /** The order is always the same, so that two attempts never deadlock. */
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

  /** An attempt that is being checked counts as a failure, and may still succeed. */
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

/** Hashes the account, because people type passwords into the wrong field. */
function accountOf({ emailKey }: Pick<Attempt, 'emailKey'>): string {
  return createHash('sha256').update(emailKey).digest('hex');
}

function pairOf(attempt: Attempt): string {
  return `${accountOf(attempt)}:${attempt.address}`;
}
