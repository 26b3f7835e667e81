import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import mysql, { type Connection, type QueryError, type RowDataPacket } from 'mysql2';
import { Config } from '../../config/config.js';
import { Problem } from '../../problems/problem.js';
import { configureSqlite, engineOf, mysqlOptions, READ_ONLY_SESSION, sqliteFile } from '../data-source.js';
import { isConnectionLost, isSqliteBusy } from '../driver-errors.js';
import { retryWhileBusy } from '../sqlite-busy.js';
import { inTime } from './in-time.js';
import { openSqlite, type SqliteDatabase, type SqliteStatement } from '../sqlite-driver.js';

/** One read, with the SQL for each engine. */
export interface Statement {
  mysql: string;
  sqlite: string;
  /** The only parameter: `IN (?)` on MySQL, `IN (SELECT value FROM json_each(?))` on SQLite. */
  list?: readonly unknown[];
}

/** A query that was sent. It is cancelled when its last waiter gives up. */
export class Sending {
  private cancelled = false;
  /** Called on cancellation. */
  onCancel: (() => void) | undefined;

  constructor(readonly statement: Statement) {}

  get isCancelled(): boolean {
    return this.cancelled;
  }

  cancel(): void {
    this.cancelled = true;
    this.onCancel?.();
  }
}

/** A connection that only reads for decisions, one query at a time. */
interface Lane {
  read(sending: Sending): Promise<unknown[]>;
  close(): void;
}

interface Job {
  prepare: () => Sending | undefined;
  resolve: (rows: unknown[]) => void;
  reject: (error: unknown) => void;
}

/** The maximum number of waiting reads in one process. Further reads are refused at once. */
const WAITING_MAX = 10_000;
const MYSQL_LANES = 2;
/** How long a new connection may take until it can be used. */
const CONNECT_WAIT_MS = 5000;

/**
 * Reads the current data for decisions on separate connections, so that no other work of the process can delay a
 * decision or let it see old data. `CoalescedReads` uses it, and keeps the deadlines.
 */
@Injectable()
export class DecisionReader implements OnApplicationShutdown {
  private readonly idle: Lane[];
  private readonly lanes: readonly Lane[];
  private readonly jobs: Job[] = [];
  private pumping = false;
  private waiting = 0;
  private statements = 0;

  constructor(config: Config) {
    this.lanes =
      engineOf(config) === 'mysql'
        ? Array.from({ length: MYSQL_LANES }, () => new MysqlLane(config))
        : [new SqliteLane(config)];
    this.idle = [...this.lanes];
  }

  /** How many queries can run at once. */
  get laneCount(): number {
    return this.lanes.length;
  }

  /** How many queries were sent since the start. */
  get statementCount(): number {
    return this.statements;
  }

  /** Counts one more waiter. Throws `too-busy` if there are too many. */
  enter(): void {
    if (this.waiting >= WAITING_MAX) {
      throw new Problem('too-busy', `More than ${WAITING_MAX} decisions are waiting.`);
    }
    this.waiting += 1;
  }

  /** Counts waiters that no longer wait. */
  leave(count: number): void {
    this.waiting -= count;
  }

  /**
   * Sends one query as soon as a lane is free.
   *
   * @param prepare called at the moment of sending, so that later waiters can still join; if it returns nothing, there
   * are no rows
   */
  read<Row>(prepare: () => Sending | undefined): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      this.jobs.push({ prepare, resolve: resolve as (rows: unknown[]) => void, reject });
      if (!this.pumping && this.idle.length > 0) {
        this.pumping = true;
        // Requests that arrived in the same turn of the event loop go first, and share a query.
        setImmediate(() => {
          this.pumping = false;
          this.pump();
        });
      }
    });
  }

  onApplicationShutdown(): void {
    this.lanes.forEach((lane) => lane.close());
  }

  private pump(): void {
    while (this.idle.length > 0 && this.jobs.length > 0) {
      void this.run(this.idle.pop()!, this.jobs.shift()!);
    }
  }

  private async run(lane: Lane, { prepare, resolve, reject }: Job): Promise<void> {
    try {
      const sending = prepare();
      if (sending) {
        this.statements += 1;
        resolve(await lane.read(sending));
      } else {
        resolve([]);
      }
    } catch (error) {
      reject(error);
    } finally {
      this.idle.push(lane);
      this.pump();
    }
  }
}

/** A connection, and whether it is open and has its settings. */
interface Link {
  connection: Connection;
  configured: Promise<void>;
}

class MysqlLane implements Lane {
  private link: Link | undefined;

  constructor(private readonly config: Config) {}

  async read(sending: Sending): Promise<unknown[]> {
    try {
      const kept = this.link;
      if (!kept) {
        return await this.readOn(this.open(), sending);
      }
      try {
        return await this.readOn(kept, sending);
      } catch (error) {
        if (!isConnectionLost(error) || sending.isCancelled) {
          throw error;
        }
      }
      // The connection may have been lost long ago, and only sending reveals that. The query had no effect, so it is
      // sent once more, and reads even newer data.
      return await this.readOn(this.open(), sending);
    } catch (error) {
      throw problemOf(error);
    }
  }

  private async readOn(link: Link, sending: Sending): Promise<unknown[]> {
    // Cancels only the query. Cancelling the connection as well would mean that a slow one is never opened.
    await unlessCancelled(link.configured, sending);
    try {
      // mysql2's own timeout returns the connection to use while the server is still busy with it, so this drops it
      // instead.
      return await unlessCancelled(query(link.connection, sending.statement), sending);
    } catch (error) {
      this.drop(link);
      throw error;
    }
  }

  close(): void {
    if (this.link) {
      this.drop(this.link);
    }
  }

  private open(): Link {
    const connection = mysql.createConnection(mysqlOptions(this.config));
    const configured = inTime(
      new Promise<void>((resolve, reject) => {
        connection.query(READ_ONLY_SESSION, (error) => (error ? reject(error) : resolve()));
      }),
      performance.now() + CONNECT_WAIT_MS,
    );
    const link = { connection, configured };
    this.link = link;
    configured.catch(() => this.drop(link));
    connection.on('error', () => this.drop(link));
    return link;
  }

  private drop(link: Link): void {
    link.connection.destroy();
    if (this.link === link) {
      this.link = undefined;
    }
  }
}

/** Resolves like the work, unless the query is cancelled first. The work then continues, and its result is ignored. */
function unlessCancelled<Result>(work: Promise<Result>, sending: Sending): Promise<Result> {
  return new Promise((resolve, reject) => {
    sending.onCancel = () => reject(new Problem('decision-timeout'));
    if (sending.isCancelled) {
      sending.onCancel();
    }
    work.then(resolve, reject);
  });
}

function query(connection: Connection, { mysql: sql, list }: Statement): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    connection.query<RowDataPacket[]>(sql, list ? [list] : [], (error: QueryError | null, rows: RowDataPacket[]) =>
      error ? reject(error) : resolve(rows),
    );
  });
}

function problemOf(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem('database-unavailable', undefined, {}, { cause: error });
}

class SqliteLane implements Lane {
  private database: SqliteDatabase | undefined;
  private readonly prepared = new Map<string, SqliteStatement>();

  constructor(private readonly config: Config) {}

  async read(sending: Sending): Promise<unknown[]> {
    const { statement } = sending;
    const parameters = statement.list ? [JSON.stringify(statement.list)] : [];
    try {
      return await retryWhileBusy(() => this.prepare(statement.sqlite).all(...parameters), {
        pause: [1, 6],
        giveUp: () => sending.isCancelled,
      });
    } catch (error) {
      const code = isSqliteBusy(error) ? 'decision-timeout' : 'database-unavailable';
      throw new Problem(code, undefined, {}, { cause: error });
    }
  }

  close(): void {
    this.database?.close();
    this.prepared.clear();
  }

  private prepare(sql: string): SqliteStatement {
    let statement = this.prepared.get(sql);
    if (!statement) {
      if (!this.database) {
        this.database = openSqlite(sqliteFile(this.config), { readonly: true, fileMustExist: true, timeout: 0 });
        configureSqlite(this.database);
      }
      statement = this.database.prepare<unknown[]>(sql);
      this.prepared.set(sql, statement);
    }
    return statement;
  }
}
