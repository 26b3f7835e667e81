import { Injectable } from '@nestjs/common';
import { Mutex, withTimeout } from 'async-mutex';
import type { Write } from '../../authority/write.js';
import { takeNamedLock } from '../../database/transactions/named-lock.js';
import { Problem } from '../../problems/problem.js';
import type { CouponPlace } from './coupons.service.js';

/** How long one waits for others; as long as any write waits on SQLite. */
const WAIT_MS = 60_000;

const tooBusy = (): Problem => new Problem('too-busy', 'Others are making coupons here.', { retryAfterSeconds: 10 });

/**
 * Lets what makes coupons do so one after the other, whichever processes it runs in, until what was made can be seen.
 *
 * Two imports into an Application would wait for each other's codes on MySQL until both gave up; so the second learns
 * which of its codes the first has taken. And whatever makes coupons in a campaign commits them in the order of their
 * ids, so that whoever reads a list page by page meanwhile finds new ones behind all others.
 */
@Injectable()
export class CouponTurns {
  private readonly turns = new Map<string, Mutex>();

  /** Does what writes an import. Its transaction must begin with `takeImportTurn`. */
  importing<Result>({ applicationId }: CouponPlace, work: () => Promise<Result>): Promise<Result> {
    return this.inTurn(`application ${applicationId}`, (turn) => turn.runExclusive(work));
  }

  /** Does what makes coupons in a campaign. Its transaction must begin with `takeCampaignTurn`. Throws `too-busy`. */
  generating<Result>({ campaignId }: CouponPlace, work: () => Promise<Result>): Promise<Result> {
    return this.inTurn(`campaign ${campaignId}`, (turn) => withTimeout(turn, WAIT_MS, tooBusy()).runExclusive(work));
  }

  /** In one process all but the first wait here, where they need no connection to the database. */
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

/** Waits until no other import writes to an Application, and none does until the transaction ends. Throws `too-busy`. */
export async function takeImportTurn(write: Write, place: CouponPlace): Promise<void> {
  await takeTurn(write, `import:${place.applicationId}`);
  await takeCampaignTurn(write, place);
}

/** Waits until nobody else makes coupons in a campaign, and nobody does until the transaction ends. Throws `too-busy`. */
export async function takeCampaignTurn(write: Write, { campaignId }: CouponPlace): Promise<void> {
  await takeTurn(write, `campaign:${campaignId}`);
}

async function takeTurn({ tx, turn }: Write, name: string): Promise<void> {
  if (!(await takeNamedLock(tx, name, WAIT_MS, turn))) {
    throw tooBusy();
  }
}
