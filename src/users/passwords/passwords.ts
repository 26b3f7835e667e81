import { randomInt } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { Semaphore } from 'async-mutex';
import { Admission } from '../../admission/admission.js';
import { findPasswordFault, type PasswordOwner } from './password-rules.js';

/** The cost of one hash: memory in KiB, passes, and lanes. */
export interface HashCost {
  memoryCost: number;
  timeCost: number;
  parallelism: number;
}

/** The cost of every hash. Tests that sign in hundreds of users replace it. */
export const HASH_COST = Symbol('HASH_COST');
/** OWASP's parameters for argon2id. */
export const OWASP_COST: HashCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** More hashes at once would starve the thread pool, which files and DNS also need. */
const CONCURRENT_MAX = 2;
const WAITING_MAX = 50;

/**
 * Returns whether a password matches a hash. Without a hash it does the same work and returns false, so that the time
 * does not reveal whether the user exists.
 */
export type ComparePassword = (password: string, passwordHash: string | undefined) => Promise<boolean>;

/** Computes and checks the hashes of passwords, a few at a time. */
@Injectable()
export class Passwords {
  private readonly slots = new Semaphore(CONCURRENT_MAX);
  private readonly admission = new Admission({ what: 'password checks', max: CONCURRENT_MAX + WAITING_MAX });

  constructor(@Inject(HASH_COST) private readonly cost: HashCost) {}

  /** Returns the argon2id hash of a password in PHC form. Throws `too-busy` if too many callers wait. */
  hash(password: string): Promise<string> {
    return this.reserve(() => this.slots.runExclusive(() => hash(normalise(password), this.cost)));
  }

  /**
   * Reserves a place in the queue for `work`. Throws `too-busy` before it starts any work if too many callers wait.
   *
   * @param work gets the function that compares passwords
   */
  reserve<Result>(work: (matches: ComparePassword) => Promise<Result>): Promise<Result> {
    const compare: ComparePassword = (password, passwordHash) =>
      this.slots.runExclusive(() => this.matches(password, passwordHash));
    return this.admission.admit(() => work(compare));
  }

  private async matches(password: string, passwordHash: string | undefined): Promise<boolean> {
    if (passwordHash === undefined) {
      await hash(normalise(password), this.cost);
      return false;
    }
    return verify(passwordHash, normalise(password));
  }
}

/** Letters and digits that people do not confuse. */
const LEGIBLE = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Generates a password that cannot be guessed and is easy to type: 100 random bits, such as `k3v9x-...-2mhd8`. */
export async function mintPassword(owner: PasswordOwner): Promise<string> {
  const group = (): string => Array.from({ length: 5 }, () => LEGIBLE[randomInt(LEGIBLE.length)]).join('');
  for (;;) {
    const password = Array.from({ length: 4 }, group).join('-');
    // Very rarely, the random password contains the name of the user.
    if ((await findPasswordFault(password, owner)) === undefined) {
      return password;
    }
  }
}

/** Normalizes a password, because keyboards compose the same characters differently. */
function normalise(password: string): string {
  return password.normalize('NFKC');
}
