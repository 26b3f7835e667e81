import { Logger } from '@nestjs/common';
import Database from 'better-sqlite3';
import { createSqliteFile } from '../data-source.js';
import { isSqliteBusy } from '../driver-errors.js';
import { retryWhileBusy } from '../sqlite-busy.js';

/** How often a process tries to take the lock while another one has it. */
const RETRY_MS = 5;
/** How long an end waits before it stops long work: most writes are done by then. */
const PATIENCE_MS = 200;

/**
 * Tells the writers of every process on one SQLite file that an end waits for them: a small file beside the database,
 * which ends lock exclusively and writers try to read.
 */
export class UrgentLock {
  private readonly logger = new Logger('UrgentLock');
  private waiting = 0;
  private hasWarned = false;
  private holder: Database.Database | undefined;
  private tester: { database: Database.Database; read: Database.Statement } | undefined;

  /** @param file path of the lock file; it is created if it is missing */
  constructor(private readonly file: string) {}

  /** Holds the lock while work that takes too long goes on. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    const impatience = setTimeout(() => void this.take(), PATIENCE_MS);
    this.waiting += 1;
    try {
      return await work();
    } finally {
      clearTimeout(impatience);
      this.waiting -= 1;
      if (this.waiting === 0) {
        this.release();
      }
    }
  }

  /** Whether an end waits, in this process or in another one. */
  get isHeld(): boolean {
    if (this.holder) {
      return true;
    }
    try {
      this.tester ??= this.openTester();
      this.tester.read.get();
      return false;
    } catch (error) {
      if (isSqliteBusy(error)) {
        return true;
      }
      this.warn(error);
      return false;
    }
  }

  close(): void {
    this.release();
    this.tester?.database.close();
    this.tester = undefined;
  }

  private async take(): Promise<void> {
    try {
      // While another end has it, that serves this one as well.
      await retryWhileBusy(() => this.tryToTake(), { pause: [RETRY_MS, RETRY_MS] });
    } catch (error) {
      this.warn(error);
    }
  }

  private tryToTake(): void {
    if (this.waiting === 0 || this.holder) {
      return;
    }
    const database = this.open();
    try {
      database.exec('BEGIN EXCLUSIVE');
      this.holder = database;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Without the file everything works, but that ends wait for long writes. */
  private warn(error: unknown): void {
    if (!this.hasWarned) {
      this.hasWarned = true;
      this.logger.warn(`Long writes cannot be interrupted, because ${this.file} cannot be used: ${String(error)}`);
    }
  }

  private release(): void {
    this.holder?.close();
    this.holder = undefined;
  }

  private openTester(): { database: Database.Database; read: Database.Statement } {
    const database = this.open();
    return { database, read: database.prepare('SELECT COUNT(*) FROM sqlite_master') };
  }

  private open(): Database.Database {
    createSqliteFile(this.file);
    return new Database(this.file, { timeout: 0 });
  }
}
