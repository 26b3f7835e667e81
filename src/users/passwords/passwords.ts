import { randomInt } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { Semaphore } from 'async-mutex';
import { Admission } from '../../admission/admission.js';
import { findPasswordFault, type PasswordOwner } from './password-rules.js';

/** What computing one hash costs: memory in KiB, passes over it, and lanes. */
export interface HashCost {
  memoryCost: number;
  timeCost: number;
  parallelism: number;
}

/** The cost of every hash that is made. Tests that sign in hundreds of users replace it. */
export const HASH_COST = Symbol('HASH_COST');
/** OWASP's parameters for argon2id. */
export const OWASP_COST: HashCost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** More at once would starve the thread pool, which files and names need as well. */
const CONCURRENT_MAX = 2;
const WAITING_MAX = 50;

/**
 * Whether a password is the one that was hashed. Without a hash it is not, after just as much work: how long this takes
 * does not tell whether there is such a user.
 */
export type ComparePassword = (password: string, passwordHash: string | undefined) => Promise<boolean>;

/** Makes and checks the hashes of passwords, a few at a time. */
@Injectable()
export class Passwords {
  private readonly slots = new Semaphore(CONCURRENT_MAX);
  private readonly admission = new Admission({ what: 'password checks', max: CONCURRENT_MAX + WAITING_MAX });

  constructor(@Inject(HASH_COST) private readonly cost: HashCost) {}

  /** The argon2id hash of a password, in PHC form. Throws `too-busy` if too many wait already. */
  hash(password: string): Promise<string> {
    return this.reserve(() => this.slots.runExclusive(() => hash(normalise(password), this.cost)));
  }

  /**
   * Keeps a place among those who wait, so that whoever gets one may do what only makes sense with one. Throws `too-busy`,
   * before anything is done, if too many wait already.
   *
   * @param work is given what compares passwords
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

/** Letters and digits that nobody takes for one another. */
const LEGIBLE = 'abcdefghijkmnpqrstuvwxyz23456789';

/** Mints a password that nobody can guess and anybody can type: 100 random bits, such as `k3v9x-...-2mhd8`. */
export async function mintPassword(owner: PasswordOwner): Promise<string> {
  const group = (): string => Array.from({ length: 5 }, () => LEGIBLE[randomInt(LEGIBLE.length)]).join('');
  for (;;) {
    const password = Array.from({ length: 4 }, group).join('-');
    // Once in a long while, chance makes the name of a user.
    if ((await findPasswordFault(password, owner)) === undefined) {
      return password;
    }
  }
}

/** Keyboards differ in how they compose the same characters. */
function normalise(password: string): string {
  return password.normalize('NFKC');
}
