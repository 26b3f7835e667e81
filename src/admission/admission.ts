import { Problem } from '../problems/problem.js';

/** How much work may be in progress at once. */
export interface AdmissionLimits {
  /** The kind of work, for the detail of a refusal: `imports`. */
  what: string;
  max: number;
  /** How much of it one owner may have in progress. */
  ownerMax?: number;
  retryAfterSeconds?: number;
}

/** Admits work while there is room for it, and otherwise refuses it at once. */
export class Admission {
  private inHand = 0;
  private readonly byOwner = new Map<number, number>();

  constructor(private readonly limits: AdmissionLimits) {}

  /** Runs work if there is room, without counting it for a user. Throws `too-busy`. */
  async admit<Result>(work: () => Promise<Result>): Promise<Result> {
    const { max, what } = this.limits;
    if (this.inHand >= max) {
      throw this.tooBusy(`${this.inHand} ${what} are in progress, which is the limit: try again later.`);
    }
    this.inHand += 1;
    try {
      return await work();
    } finally {
      this.inHand -= 1;
    }
  }

  /** Runs work if there is room and its owner has not reached their share. Throws `too-busy`. */
  async admitFor<Result>(owner: number, work: () => Promise<Result>): Promise<Result> {
    const { max, ownerMax = max, what } = this.limits;
    const held = this.byOwner.get(owner) ?? 0;
    if (held >= ownerMax) {
      throw this.tooBusy(
        `The sessions and keys of one user may have ${ownerMax} of ${max} ${what} in progress, and yours have ${held}.`,
      );
    }
    return this.admit(async () => {
      this.byOwner.set(owner, (this.byOwner.get(owner) ?? 0) + 1);
      try {
        return await work();
      } finally {
        this.leave(owner);
      }
    });
  }

  private leave(owner: number): void {
    const held = this.byOwner.get(owner)! - 1;
    if (held === 0) {
      this.byOwner.delete(owner);
    } else {
      this.byOwner.set(owner, held);
    }
  }

  private tooBusy(detail: string): Problem {
    const { retryAfterSeconds } = this.limits;
    return new Problem('too-busy', detail, { ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) });
  }
}
