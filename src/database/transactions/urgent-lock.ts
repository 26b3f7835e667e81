import { Logger } from '@nestjs/common';
import { createSqliteFile } from '../data-source.js';
import { isSqliteBusy } from '../driver-errors.js';
import { retryWhileBusy } from '../sqlite-busy.js';
import { openSqlite, type SqliteDatabase, type SqliteStatement } from '../sqlite-driver.js';

/** How often a process tries to take the lock while another one holds it. */
const RETRY_MS = 5;
/** How long an end of authority waits before it interrupts long work. Most writes finish within this time. */
const PATIENCE_MS = 200;

/**
 * Signals to the writers of all processes on one SQLite file that an end of authority waits. It uses a small file
 * beside the database: ends lock it exclusively, and writers try to read it.
 */
export class UrgentLock {
  private readonly logger = new Logger('UrgentLock');
  private waiting = 0;
  private hasWarned = false;
  private holder: SqliteDatabase | undefined;
  private tester: { database: SqliteDatabase; read: SqliteStatement } | undefined;

  /** @param file path of the lock file, which is created if it is missing */
  constructor(private readonly file: string) {}

  /** Runs work, and holds the lock once the work has waited too long. */
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

  /** Whether an end of authority waits, in this process or in another one. */
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
      // Another end of authority holds the lock, which also serves this one.
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

  /** Without the file everything works, except that ends of authority wait for long writes. */
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

  private openTester(): { database: SqliteDatabase; read: SqliteStatement } {
    const database = this.open();
    return { database, read: database.prepare('SELECT COUNT(*) FROM sqlite_master') };
  }

  private open(): SqliteDatabase {
    createSqliteFile(this.file);
    return openSqlite(this.file, { timeout: 0 });
  }
}
