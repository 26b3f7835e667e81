import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Actor } from '../access/actor.js';
import { refusalOf } from '../access/authorizer.js';
import type { Caller } from '../access/caller.js';
import { decide } from '../access/decision.js';
import type { Principal } from '../access/principal.js';
import { ChangesService } from '../audit/changes.service.js';
import { engineIn } from '../database/data-source.js';
import { ForeignKeyViolation, translateDriverError, UniqueViolation } from '../database/driver-errors.js';
import { LargeTransactions } from '../database/transactions/large-transactions.js';
import { type TakeTurn, TransactionRunner, type Urgency } from '../database/transactions/transaction-runner.js';
import { Problem } from '../problems/problem.js';
import { AUTHORITIES, type Authorities, type PrincipalAuthority } from './principal-authority.js';
import { Write } from './write.js';

/** A transaction that waited longer than this before it began authorizes its actor first, in milliseconds. */
const WAITED_MS = 250;

/**
 * Locks what an authority transaction needs before anything else: users by id, then sessions. Returns what it found.
 */
export type LockFirst<Locked> = (tx: EntityManager, actorUserIds: number[]) => Promise<Locked>;

/** For transactions that lock nothing before the actor's own rows. */
export const lockNothing: LockFirst<void> = () => Promise.resolve();

/**
 * Runs all writes. Each transaction checks that its actor may still do this. It locks the rows that the check depends
 * on until the commit. So either it commits before the actor's authority ends, or it changes nothing and rejects with
 * the 401 or 403 that a new request would get.
 *
 * Work may run more than once, because deadlocks and interruptions are retried. So it must change nothing but the
 * database. All methods reject with the error of the work, `UniqueViolation`, `ForeignKeyViolation`, or a 503 problem.
 */
@Injectable()
export class Transactions {
  constructor(
    private readonly runner: TransactionRunner,
    private readonly largeTransactions: LargeTransactions,
    private readonly changes: ChangesService,
    @Inject(AUTHORITIES) private readonly authorities: Authorities,
  ) {}

  /**
   * Writes data. It locks and authorizes at the end, together with the entry of the audit log. So the end of an
   * authority waits for a commit at most, and never for the work.
   *
   * @param large whether the commit is large enough to delay others
   */
  write<Result>(
    actor: Actor,
    work: (write: Write) => Promise<Result>,
    { large = false }: { large?: boolean } = {},
  ): Promise<Result> {
    const requested = performance.now();
    const inTransaction = async (tx: EntityManager, turn: TakeTurn): Promise<Result> => {
      if (performance.now() - requested > WAITED_MS) {
        await this.confirm(tx, actor, 'unlocked');
      }
      const write = new Write(tx, () => takeTurn(actor, turn));
      const result = await this.orRefusal(tx, actor, () => work(write));
      await this.confirmAndRecord(tx, actor, write);
      return result;
    };
    const run = large ? this.largeTransactions.inTransaction(inTransaction) : this.runner.inTransaction(inTransaction);
    return run.then((result) => {
      noteCommit(actor);
      return result;
    });
  }

  /**
   * Changes rows that authority depends on: users, sessions, Applications, keys. It locks and authorizes first. All of
   * these transactions lock in the same order, so that no two of them deadlock.
   */
  changeAuthority<Result>(actor: Actor, work: (write: Write) => Promise<Result>): Promise<Result> {
    return this.authorityTransaction(actor, 'normal', lockNothing, work);
  }

  /**
   * Takes authority away, or may do so. It never waits for long work: on MySQL it has its own connections, and on
   * SQLite it interrupts the current write.
   */
  endAuthority<Result, Locked>(
    actor: Actor,
    lockFirst: LockFirst<Locked>,
    work: (write: Write, locked: Locked) => Promise<Result>,
  ): Promise<Result> {
    return this.authorityTransaction(actor, 'urgent', lockFirst, work);
  }

  private async authorityTransaction<Result, Locked>(
    actor: Actor,
    urgency: Urgency,
    lockFirst: LockFirst<Locked>,
    work: (write: Write, locked: Locked) => Promise<Result>,
  ): Promise<Result> {
    const result = await this.runner.inTransaction(async (tx, turn) => {
      const locked = await lockFirst(tx, this.usersOf(actor));
      const write = new Write(tx, turn, await this.confirm(tx, actor, 'locked'));
      const done = await work(write, locked);
      for (const { change, recorded } of write.changes) {
        recorded.id = await this.changes.append(tx, actor, change);
      }
      return done;
    }, urgency);
    noteCommit(actor);
    if (actor.kind === 'caller' && urgency === 'urgent') {
      actor.hasEndedAuthority = true;
    }
    return result;
  }

  /**
   * Runs work. If the work fails and the actor's authority has ended, rejects with that refusal instead of the failure.
   */
  private async orRefusal<Result>(tx: EntityManager, actor: Actor, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (isAboutRequest(translateDriverError(error))) {
        await this.confirm(tx, actor, 'unlocked');
      }
      throw error;
    }
  }

  private async confirmAndRecord(tx: EntityManager, actor: Actor, { changes, amendments }: Write): Promise<void> {
    const [first, ...rest] = changes;
    if (actor.kind !== 'caller' || !first) {
      await this.confirm(tx, actor, 'locked');
    } else {
      const unchanged = this.authorityOf(actor).unchanged(engineIn(tx), actor, 'locked');
      first.recorded.id = await this.changes.appendIf(tx, actor, first.change, unchanged);
      if (first.recorded.id === undefined) {
        await this.decideAgain(tx, actor);
      }
    }
    for (const { change, recorded } of first?.recorded.id === undefined ? changes : rest) {
      recorded.id = await this.changes.append(tx, actor, change);
    }
    for (const { id, values } of amendments) {
      await this.changes.amend(tx, id, values);
    }
  }

  /** Returns the caller's principal as it is now. Throws the 401 or 403 problem if the actor may no longer do this. */
  private async confirm(tx: EntityManager, actor: Actor, lock: 'locked' | 'unlocked'): Promise<Principal | undefined> {
    if (actor.kind !== 'caller') {
      return undefined;
    }
    const { sql, parameters } = this.authorityOf(actor).unchanged(engineIn(tx), actor, lock);
    const rows = (await tx.query(`SELECT 1 AS unchanged ${sql}`, parameters)) as unknown[];
    return rows.length === 0 ? this.decideAgain(tx, actor) : actor.principal;
  }

  /** Reads the principal and decides again, because something that the decision depended on has changed. */
  private async decideAgain(tx: EntityManager, caller: Caller): Promise<Principal> {
    const { endpoint, applicationId } = caller.target;
    const principal = await this.authorityOf(caller).reread(tx, caller);
    const decision = decide(endpoint, principal, applicationId);
    if (!decision.allowed) {
      throw refusalOf(endpoint, decision, applicationId);
    }
    return principal;
  }

  private usersOf(actor: Actor): number[] {
    return actor.kind === 'caller' ? this.authorityOf(actor).users(actor.principal) : [];
  }

  private authorityOf({ principal }: Caller): PrincipalAuthority<Principal> {
    return this.authorities[principal.kind] as PrincipalAuthority<Principal>;
  }
}

/** Returns whether an error reveals something about the request, which a caller without authority must not learn. */
function isAboutRequest(error: unknown): boolean {
  return (
    error instanceof UniqueViolation ||
    error instanceof ForeignKeyViolation ||
    (error instanceof Problem && error.status < 500 && error.status !== 401)
  );
}

function noteCommit(actor: Actor): void {
  if (actor.kind === 'caller') {
    actor.hasCommitted = true;
  }
}

async function takeTurn(actor: Actor, turn: TakeTurn): Promise<void> {
  await turn();
  if (actor.kind === 'caller') {
    actor.lost.throwIfAborted();
  }
}
