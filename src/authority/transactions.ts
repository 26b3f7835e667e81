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

/** A transaction that waited longer than this to begin authorizes its actor first, in milliseconds. */
const WAITED_MS = 250;

/** What an authority transaction locks before anything else: users by id, then sessions. It returns what it found. */
export type LockFirst<Locked> = (tx: EntityManager, actorUserIds: number[]) => Promise<Locked>;

/** For what locks nothing before the actor's own rows. */
export const lockNothing: LockFirst<void> = () => Promise.resolve();

/**
 * The only way to write. Each transaction asks whether its actor may still do this, and locks what the answer rests on
 * until it is committed: either it was committed before the actor's authority ended, or it changes nothing and rejects
 * with the 401 or 403 that a new request would get.
 *
 * Work may run more than once (deadlocks and interruptions are repeated), so it changes nothing but the database.
 * All methods reject with what the work threw, `UniqueViolation`, `ForeignKeyViolation`, or a 503 problem.
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
   * Writes data. It locks and authorizes last, together with the entry of the audit log, so that an end waits for a commit
   * and never for the work.
   *
   * @param large whether so much is written that its commit could be felt by others
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
   * Changes what authority rests on: users, sessions, Applications, keys. It locks and asks first, in one order that all
   * of these transactions share, so that no two of them wait for each other.
   */
  changeAuthority<Result>(actor: Actor, work: (write: Write) => Promise<Result>): Promise<Result> {
    return this.authorityTransaction(actor, 'normal', lockNothing, work);
  }

  /**
   * Takes authority away, or may do so. It never waits for long work: on MySQL it has its own connections, on SQLite it
   * interrupts the current write.
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

  /** Runs work. If it fails and the actor's authority has ended, rejects with that refusal and not with the failure. */
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

  /** Returns the caller's principal as it is now. Throws the 401 or 403 problem if the actor may not do this any more. */
  private async confirm(tx: EntityManager, actor: Actor, lock: 'locked' | 'unlocked'): Promise<Principal | undefined> {
    if (actor.kind !== 'caller') {
      return undefined;
    }
    const { sql, parameters } = this.authorityOf(actor).unchanged(engineIn(tx), actor, lock);
    const rows = (await tx.query(`SELECT 1 AS unchanged ${sql}`, parameters)) as unknown[];
    return rows.length === 0 ? this.decideAgain(tx, actor) : actor.principal;
  }

  /** Reads the principal again and decides again, because something that the decision rested on has changed. */
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

/** Whether an error tells a caller about their request, which one without authority must not learn. */
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
