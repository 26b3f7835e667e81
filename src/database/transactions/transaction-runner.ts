import { setImmediate as eventLoop, setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Mutex, withTimeout } from 'async-mutex';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { Config } from '../../config/config.js';
import { Problem } from '../../problems/problem.js';
import { engineOf, sqliteFile } from '../data-source.js';
import { isRepeatable, isSqliteBusy, translateDriverError } from '../driver-errors.js';
import { releaseNamedLocks } from './named-lock.js';
import type { SqliteDatabase } from '../sqlite-driver.js';
import { UrgentLock } from './urgent-lock.js';

/** The data source that transactions write with. On MySQL it is the pool that everything uses. */
export const WRITER = Symbol('latchkey:writer');
/** The data source that ends write with: on MySQL, connections that nothing else takes. */
export const ENDS = Symbol('latchkey:ends');

/** Attempts of a transaction on MySQL. An end waits 1 s for a lock each time, everything else 5 s. */
const MYSQL_ATTEMPTS = { normal: 3, urgent: 6 };
/** How often an end may interrupt one transaction before that gives up. */
const INTERRUPTIONS_MAX = 20;
/** How long a write waits for other writes, in this process and in others: a large import is one transaction. */
const WRITE_WAIT_MS = 60_000;
/** Places in the queue for SQLite's one writer. */
const PRIORITY = { normal: 0, urgent: 1 };

/** Whether a transaction takes authority away: such a one goes ahead of all others and interrupts long ones. */
export type Urgency = 'normal' | 'urgent';

/**
 * Lets others have a turn in the middle of long work. It throws if an end waits for the work to stop: the transaction is
 * then rolled back, and repeated after that end.
 */
export type TakeTurn = () => Promise<void>;

/** What is done in one transaction. It may run more than once, so it changes nothing but the database. */
export type Work<Result> = (tx: EntityManager, turn: TakeTurn) => Promise<Result>;

/** Long work had to stop for an end. */
class Interrupted extends Error {}

/**
 * Runs transactions on either engine. Features use `Transactions` instead, which authorizes the actor of each write.
 * On SQLite one writing connection a process serves all requests, so that work queues for it: without that, one request's
 * queries would fall into whatever transaction another has open.
 */
@Injectable()
export class TransactionRunner implements OnApplicationShutdown {
  private readonly queue = withTimeout(new Mutex(), WRITE_WAIT_MS, new Problem('database-busy'));
  private readonly urgentLock: UrgentLock | undefined;

  constructor(
    config: Config,
    @Inject(WRITER) private readonly writer: DataSource,
    @Inject(ENDS) private readonly ends: DataSource,
    private readonly reader: DataSource,
  ) {
    this.urgentLock = engineOf(config) === 'sqlite' ? new UrgentLock(`${sqliteFile(config)}.urgent`) : undefined;
  }

  /**
   * Does work in one transaction: all of it is kept, or none of it.
   * Rejects with what the work threw, `UniqueViolation`, `ForeignKeyViolation`, or a 503 problem.
   */
  async inTransaction<Result>(work: Work<Result>, urgency: Urgency = 'normal'): Promise<Result> {
    try {
      if (!this.urgentLock) {
        return await this.inMysqlTransaction(work, urgency);
      }
      const run = (): Promise<Result> => this.inSqliteTransaction(work, urgency, this.urgentLock!);
      return await (urgency === 'urgent' ? this.urgentLock.during(run) : run());
    } catch (error) {
      throw translateDriverError(error);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    this.urgentLock?.close();
    for (const source of new Set([this.writer, this.ends])) {
      if (source !== this.reader && source.isInitialized) {
        await source.destroy();
      }
    }
  }

  private async inMysqlTransaction<Result>(work: Work<Result>, urgency: Urgency): Promise<Result> {
    const source = urgency === 'urgent' ? this.ends : this.writer;
    for (let attempt = 1; ; attempt += 1) {
      const runner = source.createQueryRunner();
      try {
        await runner.startTransaction();
        const result = await work(runner.manager, eventLoop);
        await runner.commitTransaction();
        return result;
      } catch (error) {
        await rollBackMysql(runner);
        if (!isRepeatable(error) || attempt === MYSQL_ATTEMPTS[urgency]) {
          throw error;
        }
      } finally {
        await releaseNamedLocks(runner);
        await runner.release();
      }
      await sleep(5 + Math.random() * 20 * attempt);
    }
  }

  private async inSqliteTransaction<Result>(
    work: Work<Result>,
    urgency: Urgency,
    urgentLock: UrgentLock,
  ): Promise<Result> {
    const isEndWaiting = (): boolean => urgency === 'normal' && urgentLock.isHeld;
    const deadline = performance.now() + WRITE_WAIT_MS;
    for (let interruptions = 0; ;) {
      const release = await this.queue.acquire(PRIORITY[urgency]);
      try {
        const runner = this.writer.createQueryRunner();
        if (!isEndWaiting() && (await tryToBegin(runner))) {
          return await finishOnSqlite(runner, work, isEndWaiting);
        }
      } catch (error) {
        interruptions += 1;
        if (!(error instanceof Interrupted)) {
          throw error;
        }
        if (interruptions === INTERRUPTIONS_MAX) {
          throw new Problem('database-busy', 'Access was taken away too often meanwhile.', {}, { cause: error });
        }
      } finally {
        release();
      }
      if (performance.now() > deadline) {
        throw new Problem('database-busy');
      }
      await sleep(urgency === 'urgent' ? 2 + Math.random() * 3 : 5 + Math.random() * 45);
    }
  }
}

/** Begins a transaction, unless another process is writing. */
async function tryToBegin(runner: QueryRunner): Promise<boolean> {
  try {
    await runner.query('BEGIN IMMEDIATE');
    return true;
  } catch (error) {
    if (isSqliteBusy(error)) {
      return false;
    }
    throw error;
  }
}

/** Does the work of a transaction that has begun, and ends it. */
async function finishOnSqlite<Result>(
  runner: QueryRunner,
  work: Work<Result>,
  isEndWaiting: () => boolean,
): Promise<Result> {
  try {
    const result = await work(runner.manager, async () => {
      await eventLoop();
      if (isEndWaiting()) {
        throw new Interrupted();
      }
    });
    await runner.query('COMMIT');
    return result;
  } catch (error) {
    await rollBackSqlite(runner);
    throw error;
  }
}

/** Some errors, such as a full disk, have rolled back already when they are reported. */
async function rollBackSqlite(runner: QueryRunner): Promise<void> {
  const database = (await runner.connect()) as SqliteDatabase;
  if (database.inTransaction) {
    await runner.query('ROLLBACK');
  }
}

/** A connection that cannot even roll back is not given back to the pool: what it holds is not known. */
async function rollBackMysql(runner: QueryRunner): Promise<void> {
  try {
    if (runner.isTransactionActive) {
      await runner.rollbackTransaction();
    }
  } catch {
    const connection = (await runner.connect()) as { destroy(): void };
    connection.destroy();
  }
}
