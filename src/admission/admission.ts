import { Problem } from '../problems/problem.js';

/** How much may be in hand at once. */
export interface AdmissionLimits {
  /** What is counted, for the detail of a refusal: `imports`. */
  what: string;
  max: number;
  /** How much of it one owner may hold. */
  ownerMax?: number;
  retryAfterSeconds?: number;
}

/** Admits work while there is room for it, and refuses it at once otherwise. */
export class Admission {
  private inHand = 0;
  private readonly byOwner = new Map<number, number>();

  constructor(private readonly limits: AdmissionLimits) {}

  /** Does work if there is room, without counting it for a user. Throws `too-busy`. */
  async admit<Result>(work: () => Promise<Result>): Promise<Result> {
    const { max, what } = this.limits;
    if (this.inHand >= max) {
      throw this.tooBusy(`${this.inHand} ${what} are in progress, and there may be no more at once.`);
    }
    this.inHand += 1;
    try {
      return await work();
    } finally {
      this.inHand -= 1;
    }
  }

  /** Does work if there is room, and if its owner does not hold their share already. Throws `too-busy`. */
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
