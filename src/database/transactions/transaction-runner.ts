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

/** The data source for transactions. On MySQL it is the common pool. */
export const WRITER = Symbol('latchkey:writer');
/** The data source for ends of authority. On MySQL, nothing else uses its connections. */
export const ENDS = Symbol('latchkey:ends');

/**
 * Attempts of a transaction on MySQL. For each attempt, an end of authority waits 1 s for a lock, and other
 * transactions 5 s.
 */
const MYSQL_ATTEMPTS = { normal: 3, urgent: 6 };
/** How often ends of authority may interrupt one transaction before it fails. */
const INTERRUPTIONS_MAX = 20;
/** How long a write waits for other writes, in this process and in others. A large import is one transaction. */
const WRITE_WAIT_MS = 60_000;
/** Priorities in the queue for SQLite's one writer. */
const PRIORITY = { normal: 0, urgent: 1 };

/** Whether a transaction ends an authority. Such a transaction goes ahead of all others, and interrupts long ones. */
export type Urgency = 'normal' | 'urgent';

/**
 * Gives others a turn in the middle of long work. It throws if an end of authority waits. The transaction is then
 * rolled back, and repeated after that end.
 */
export type TakeTurn = () => Promise<void>;

/** The work of one transaction. It may run more than once, so it must change nothing but the database. */
export type Work<Result> = (tx: EntityManager, turn: TakeTurn) => Promise<Result>;

/** Long work was interrupted by an end of authority. */
class Interrupted extends Error {}

/**
 * Runs transactions on either engine. Features use `Transactions` instead, which authorizes the actor of each write. On
 * SQLite, one writing connection per process serves all requests, and work queues for it. Otherwise, queries of one
 * request would join the open transaction of another.
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
   * Runs work in one transaction, which is committed completely or not at all. Rejects with the error of the work,
   * `UniqueViolation`, `ForeignKeyViolation`, or a 503 problem.
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
        await beginOnMysql(runner);
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
          throw new Problem(
            'database-busy',
            'Ends of authority interrupted this write too often: try again.',
            {},
            { cause: error },
          );
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

/** Starts a transaction that may write. TypeORM cannot do this: its own starts inherit the read-only session. */
async function beginOnMysql(runner: QueryRunner): Promise<void> {
  // TypeORM locks rows only where it believes that a transaction is active.
  Object.assign(runner, { isTransactionActive: true });
  await runner.query('START TRANSACTION READ WRITE');
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

/** Runs the work of a started transaction, and ends the transaction. */
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

/** Some errors, such as a full disk, have already rolled back the transaction. */
async function rollBackSqlite(runner: QueryRunner): Promise<void> {
  const database = (await runner.connect()) as SqliteDatabase;
  if (database.inTransaction) {
    await runner.query('ROLLBACK');
  }
}

/** Rolls back. If that fails, the connection does not return to the pool, because its state is unknown. */
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
