import { Worker } from 'node:worker_threads';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { engineOf, sqliteFile } from '../data-source.js';
import { sqliteLibrary } from '../sqlite-driver.js';
import { TransactionRunner, type Work } from './transaction-runner.js';

/** SQLite's own default: from this many pages in the write-ahead log on, a commit copies them into the database. */
const AUTOCHECKPOINT_PAGES = 1000;

/** Copies without blocking others. The rest is then short, and frees the space of the log. */
const CHECKPOINT = `
const { workerData } = require('node:worker_threads');
const database = require(workerData.driver)(workerData.file, { fileMustExist: true, timeout: 0 });
database.pragma('wal_checkpoint(PASSIVE)');
database.pragma('wal_checkpoint(TRUNCATE)');
database.close();`;

/**
 * Runs transactions that write very much. On SQLite, the commit of such a transaction would copy everything into the
 * database file at once and block the process. Instead, a separate thread copies it afterwards.
 */
@Injectable()
export class LargeTransactions implements BeforeApplicationShutdown {
  private readonly logger = new Logger(LargeTransactions.name);
  private readonly checkpoints = new Set<Promise<void>>();
  private open = 0;

  constructor(
    private readonly runner: TransactionRunner,
    private readonly config: Config,
  ) {}

  /**
   * Does work like `TransactionRunner.inTransaction`. The work must take turns, so that ends of authority can interrupt
   * it.
   */
  async inTransaction<Result>(work: Work<Result>): Promise<Result> {
    if (engineOf(this.config) === 'mysql') {
      return this.runner.inTransaction(work);
    }
    this.open += 1;
    try {
      return await this.runner.inTransaction(async (tx, turn) => {
        await tx.query('PRAGMA wal_autocheckpoint = 0');
        return work(tx, turn);
      });
    } finally {
      this.checkpointInBackground();
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.checkpoints);
  }

  private checkpointInBackground(): void {
    const checkpoint = this.checkpoint()
      .catch((error: unknown) => this.logger.warn(`Commits do not copy the write-ahead log: ${String(error)}`))
      .finally(() => this.checkpoints.delete(checkpoint));
    this.checkpoints.add(checkpoint);
  }

  private async checkpoint(): Promise<void> {
    try {
      await checkpointInThread(sqliteFile(this.config));
    } catch (error) {
      this.logger.warn(`The write-ahead log could not be copied into the database yet: ${String(error)}`);
    }
    this.open -= 1;
    if (this.open === 0) {
      await this.runner.inTransaction((tx) => tx.query(`PRAGMA wal_autocheckpoint = ${AUTOCHECKPOINT_PAGES}`));
    }
  }
}

function checkpointInThread(file: string): Promise<void> {
  const driver = sqliteLibrary();
  const worker = new Worker(CHECKPOINT, { eval: true, workerData: { driver, file }, env: {}, execArgv: [] });
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}
