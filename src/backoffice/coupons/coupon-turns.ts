import { Injectable } from '@nestjs/common';
import { Mutex, withTimeout } from 'async-mutex';
import type { Write } from '../../authority/write.js';
import { takeNamedLock } from '../../database/transactions/named-lock.js';
import { Problem } from '../../problems/problem.js';
import type { CouponPlace } from './coupons.service.js';

/** How long a request waits for its turn. Writes on SQLite wait equally long. */
const WAIT_MS = 60_000;

const tooBusy = (): Problem =>
  new Problem('too-busy', 'Other requests are creating coupons here: try again in 10 seconds.', {
    retryAfterSeconds: 10,
  });

/**
 * Serializes the requests that create coupons, over all processes, until the coupons are visible.
 *
 * On MySQL, two imports into an Application would deadlock on each other's codes. With turns, the second one finds the
 * codes that the first one has taken. Requests that create coupons in a campaign also commit them in the order of their
 * ids. A client that pages through a list meanwhile finds new coupons after all others.
 */
@Injectable()
export class CouponTurns {
  private readonly turns = new Map<string, Mutex>();

  /** Runs the work of an import. Its transaction must start with `takeImportTurn`. */
  importing<Result>({ applicationId }: CouponPlace, work: () => Promise<Result>): Promise<Result> {
    return this.inTurn(`application ${applicationId}`, (turn) => turn.runExclusive(work));
  }

  /**
   * Runs work that creates coupons in a campaign. Its transaction must start with `takeCampaignTurn`. Throws
   * `too-busy`.
   */
  generating<Result>({ campaignId }: CouponPlace, work: () => Promise<Result>): Promise<Result> {
    return this.inTurn(`campaign ${campaignId}`, (turn) => withTimeout(turn, WAIT_MS, tooBusy()).runExclusive(work));
  }

  /** Within one process, all requests except the first wait here, where they hold no database connection. */
  private async inTurn<Result>(name: string, work: (turn: Mutex) => Promise<Result>): Promise<Result> {
    const turn = this.turns.get(name) ?? new Mutex();
    this.turns.set(name, turn);
    try {
      return await work(turn);
    } finally {
      if (!turn.isLocked()) {
        this.turns.delete(name);
      }
    }
  }
}

/**
 * Waits until no other import writes to the Application, and keeps others out until the transaction ends. Throws
 * `too-busy`.
 */
export async function takeImportTurn(write: Write, place: CouponPlace): Promise<void> {
  await takeTurn(write, `import:${place.applicationId}`);
  await takeCampaignTurn(write, place);
}

/**
 * Waits until no other request creates coupons in the campaign, and keeps others out until the transaction ends. Throws
 * `too-busy`.
 */
export async function takeCampaignTurn(write: Write, { campaignId }: CouponPlace): Promise<void> {
  await takeTurn(write, `campaign:${campaignId}`);
}

async function takeTurn({ tx, turn }: Write, name: string): Promise<void> {
  if (!(await takeNamedLock(tx, name, WAIT_MS, turn))) {
    throw tooBusy();
  }
}
