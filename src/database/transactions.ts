import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Mutex, withTimeout } from 'async-mutex';
import type BetterSqlite3 from 'better-sqlite3';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { Problem } from '../http/problem.js';
import { releaseNamedLocks } from './named-lock.js';
import { isRepeatable, isSqliteBusy, translateDriverError } from './driver-errors.js';

/** The data source that transactions write with. On MySQL it is the pool that everything uses. */
export const WRITER = Symbol('latchkey:writer');

const MYSQL_ATTEMPTS = 3;
/** How long an urgent transaction waits on SQLite before it interrupts what holds it up. */
const PATIENCE_MS = 500;
/** How often work is interrupted until it is given up. */
const INTERRUPTIONS_MAX = 20;
/** How long a write waits for other writes, in this process and in others: a large import is one transaction. */
const WRITE_WAIT_MS = 60_000;

/**
 * The only way to write. On SQLite the writing connection is one per process and shared by all requests, so that work
 * queues for it: without that, one request's statements would fall into whatever transaction another has open.
 */
@Injectable()
export class Transactions implements OnApplicationShutdown {
  /** Interrupts the transaction that everybody waits for, if that can be. */
  private interruption: AbortController | undefined;
  private readonly queue = withTimeout(new Mutex(), WRITE_WAIT_MS, new Problem('database-busy'));

  constructor(
    @Inject(WRITER) private readonly writer: DataSource,
    private readonly reader: DataSource,
  ) {}

  /**
   * Does work in one transaction: all of it is kept, or none of it.
   * Work may run more than once (deadlocks are repeated), so it must change nothing but the database.
   * Rejects with what the work threw, `UniqueViolation`, `ForeignKeyViolation`, or a 503 problem.
   */
  async inTransaction<Result>(work: (tx: EntityManager) => Promise<Result>): Promise<Result> {
    try {
      return this.writer.options.type === 'mysql'
        ? await this.inMysqlTransaction(work)
        : await this.queue.runExclusive(() => this.inSqliteTransaction(work));
    } catch (error) {
      throw translateDriverError(error);
    }
  }

  /**
   * Like `inTransaction`, for what takes access away: on SQLite it waits for no long transaction of this process that can
   * be interrupted.
   */
  async inUrgentTransaction<Result>(work: (tx: EntityManager) => Promise<Result>): Promise<Result> {
    const impatience = setInterval(() => {
      this.interruption?.abort(new Problem('database-busy', 'What takes access away comes first, and came too often.'));
    }, PATIENCE_MS);
    try {
      return await this.inTransaction((tx) => {
        clearInterval(impatience);
        return work(tx);
      });
    } finally {
      clearInterval(impatience);
    }
  }

  /**
   * Like `inTransaction`, for long work that can be repeated. When its signal is aborted it is to throw the reason: then
   * it is undone, and done again after whoever was in a hurry. Throws that reason if it happens too often.
   */
  async inInterruptibleTransaction<Result>(
    work: (tx: EntityManager, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    for (let interruptions = 1; ; interruptions += 1) {
      const interruption = new AbortController();
      try {
        return await this.inTransaction(async (tx) => {
          this.interruption = this.writer.options.type === 'mysql' ? undefined : interruption;
          try {
            return await work(tx, interruption.signal);
          } finally {
            this.interruption = undefined;
          }
        });
      } catch (error) {
        if (error !== interruption.signal.reason || interruptions === INTERRUPTIONS_MAX) {
          throw error;
        }
      }
    }
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.writer !== this.reader && this.writer.isInitialized) {
      await this.writer.destroy();
    }
  }

  private async inMysqlTransaction<Result>(work: (tx: EntityManager) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt += 1) {
      const runner = this.writer.createQueryRunner();
      try {
        await runner.startTransaction();
        const result = await work(runner.manager);
        await runner.commitTransaction();
        return result;
      } catch (error) {
        await rollBackMysql(runner);
        if (!isRepeatable(error) || attempt === MYSQL_ATTEMPTS) {
          throw error;
        }
      } finally {
        await releaseNamedLocks(runner);
        await runner.release();
      }
      await sleep(5 + Math.random() * 20 * attempt);
    }
  }

  private async inSqliteTransaction<Result>(work: (tx: EntityManager) => Promise<Result>): Promise<Result> {
    const runner = this.writer.createQueryRunner();
    await beginImmediate(runner);
    try {
      const result = await work(runner.manager);
      await runner.query('COMMIT');
      return result;
    } catch (error) {
      await rollBackSqlite(runner);
      throw error;
    }
  }
}

async function beginImmediate(runner: QueryRunner): Promise<void> {
  const deadline = performance.now() + WRITE_WAIT_MS;
  for (;;) {
    try {
      await runner.query('BEGIN IMMEDIATE');
      return;
    } catch (error) {
      if (!isSqliteBusy(error) || performance.now() > deadline) {
        throw error;
      }
      await sleep(5 + Math.random() * 45);
    }
  }
}

/** Some errors, such as a full disk, have rolled back already when they are reported. */
async function rollBackSqlite(runner: QueryRunner): Promise<void> {
  const database = (await runner.connect()) as BetterSqlite3.Database;
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
