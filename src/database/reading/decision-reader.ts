import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import Database from 'better-sqlite3';
import mysql, { type Connection, type QueryError, type RowDataPacket } from 'mysql2';
import { Config } from '../../config/config.js';
import { Problem } from '../../problems/problem.js';
import { configureSqlite, engineOf, mysqlOptions, READ_ONLY_SESSION, sqliteFile } from '../data-source.js';
import { isConnectionLost, isSqliteBusy } from '../driver-errors.js';
import { retryWhileBusy } from '../sqlite-busy.js';
import { inTime } from './in-time.js';

/** One read, in the words of each engine. */
export interface Statement {
  mysql: string;
  sqlite: string;
  /** The only parameter: `IN (?)` on MySQL, `IN (SELECT value FROM json_each(?))` on SQLite. */
  list?: readonly unknown[];
}

/** A query that was sent. It is cancelled when its last waiter has given up. */
export class Sending {
  private cancelled = false;
  /** Called when it is cancelled. */
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

/** A connection on which nothing but decisions is read, one statement at a time. */
interface Lane {
  read(sending: Sending): Promise<unknown[]>;
  close(): void;
}

interface Job {
  prepare: () => Sending | undefined;
  resolve: (rows: unknown[]) => void;
  reject: (error: unknown) => void;
}

/** Readings that may wait in one process; more are refused at once. */
const WAITING_MAX = 10_000;
const MYSQL_LANES = 2;
/** How long a new connection may take until it can be used. */
const CONNECT_WAIT_MS = 5000;

/**
 * Reads what decisions are made from, as the database has it now, on connections of their own: nothing else that the
 * process does can make a decision wait or let it see old data. `CoalescedReads` uses it, and keeps the deadlines.
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

  /** How many statements can be under way at once. */
  get laneCount(): number {
    return this.lanes.length;
  }

  /** How many statements were sent since the start. */
  get statementCount(): number {
    return this.statements;
  }

  /** Counts one more who waits for something to be read. Throws `too-busy` if there are too many. */
  enter(): void {
    if (this.waiting >= WAITING_MAX) {
      throw new Problem('too-busy', `More than ${WAITING_MAX} decisions are waiting.`);
    }
    this.waiting += 1;
  }

  /** Counts those who wait no more. */
  leave(count: number): void {
    this.waiting -= count;
  }

  /**
   * Sends one statement as soon as a lane is free.
   *
   * @param prepare called at the moment of sending, so that whoever comes until then can still join; with nothing to send,
   * there are no rows
   */
  read<Row>(prepare: () => Sending | undefined): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      this.jobs.push({ prepare, resolve: resolve as (rows: unknown[]) => void, reject });
      if (!this.pumping && this.idle.length > 0) {
        this.pumping = true;
        // Requests that arrived in the same turn of the event loop come first, and share a statement.
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

/** A connection, and whether it is made and was told how to behave. */
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
      // It may have died long ago, when the server was started anew, and only sending has shown it. Nothing came of that,
      // and what is read now is newer still.
      return await this.readOn(this.open(), sending);
    } catch (error) {
      throw problemOf(error);
    }
  }

  private async readOn(link: Link, sending: Sending): Promise<unknown[]> {
    // Who gives up here gives up the query alone: a connection that takes long to make would never be made.
    await unlessCancelled(link.configured, sending);
    try {
      // mysql2's own time-out gives the connection back while the server is still busy with it; this one is dropped.
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

/** Hands on what work comes to, unless the query is cancelled first; then the work goes on unseen. */
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
  private database: Database.Database | undefined;
  private readonly prepared = new Map<string, Database.Statement<unknown[]>>();

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

  private prepare(sql: string): Database.Statement<unknown[]> {
    let statement = this.prepared.get(sql);
    if (!statement) {
      if (!this.database) {
        this.database = new Database(sqliteFile(this.config), { readonly: true, fileMustExist: true, timeout: 0 });
        configureSqlite(this.database);
      }
      statement = this.database.prepare<unknown[]>(sql);
      this.prepared.set(sql, statement);
    }
    return statement;
  }
}
