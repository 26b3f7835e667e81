import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Principal } from './principal.js';

/** Says whether one kind of principal is still alive, as a transaction sees it. Features contribute one for each kind. */
export interface CallerCheck<Caller extends Principal> {
  /**
   * Reads what the caller's life hangs on, in a transaction and so that it stays until the transaction ends.
   * Throws the 401 problem that says why the caller is alive no more.
   */
  stillAlive(tx: EntityManager, caller: Caller): Promise<void>;
}

/** The check for each kind of principal. */
export type CallerCheckByKind = { [Kind in Principal['kind']]: CallerCheck<Extract<Principal, { kind: Kind }>> };

/**
 * Asks once more, just before work that took long is committed, whether the caller may still do anything: a key that was
 * deleted meanwhile must leave nothing behind.
 */
@Injectable()
export class CallerChecks {
  private checks: CallerCheckByKind | undefined;

  /** Lets features say how their principals are checked. */
  contribute(checks: CallerCheckByKind): void {
    this.checks = checks;
  }

  /** Throws the 401 problem that says why a caller is alive no more. Where nobody can tell, it throws as well. */
  async stillAlive(tx: EntityManager, caller: Principal): Promise<void> {
    if (!this.checks) {
      throw new Error('nobody contributed a check of callers');
    }
    switch (caller.kind) {
      case 'user':
        return this.checks.user.stillAlive(tx, caller);
      case 'api-key':
        return this.checks['api-key'].stillAlive(tx, caller);
      default:
        return caller satisfies never;
    }
  }
}
