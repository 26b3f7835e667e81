import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import Database from 'better-sqlite3';
import mysql, { type Connection, type QueryError, type RowDataPacket } from 'mysql2';
import { Config } from '../config/config.js';
import { Problem } from '../http/problem.js';
import { configureSqlite, engineOf, MYSQL_SESSION, mysqlOptions, sqliteFile } from './data-source.js';
import { isConnectionLost, isSqliteBusy } from './driver-errors.js';

/** One read, in the words of each engine. */
export interface Statement {
  mysql: string;
  sqlite: string;
  parameters: unknown[];
  /** What SQLite gets instead, where it takes lists differently. */
  sqliteParameters?: unknown[];
}

/** A connection on which nothing but decisions is read, one statement at a time. */
interface Lane {
  read(statement: Statement, deadline: number): Promise<unknown[]>;
  close(): void;
}

interface Job {
  prepare: () => Statement;
  deadline: number;
  /** Ends the waiting for a lane when the deadline passes. */
  timer: NodeJS.Timeout;
  resolve: (rows: unknown[]) => void;
  reject: (error: unknown) => void;
}

const MYSQL_LANES = 2;
/** How long a new connection may take until it can be used. */
const CONNECT_WAIT_MS = 5000;

/**
 * Reads what decisions are made from, as the database has it now, on connections of their own: nothing else that the
 * process does can make a decision wait or let it see old data. Bounded in time: past the deadline there is no answer.
 */
@Injectable()
export class DecisionReader implements OnApplicationShutdown {
  private readonly idle: Lane[];
  private readonly lanes: readonly Lane[];
  private readonly jobs: Job[] = [];
  private pumping = false;
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

  /**
   * Sends one statement as soon as a lane is free.
   *
   * @param prepare called at the moment of sending, so that whoever comes until then can still join
   * @param deadline milliseconds on the clock of `performance.now()`; past it this rejects with a 503 problem
   */
  read<Row>(prepare: () => Statement, deadline: number): Promise<Row[]> {
    return new Promise((resolve, reject) => {
      const job: Job = {
        prepare,
        deadline,
        timer: setTimeout(() => this.giveUp(job), deadline - performance.now()),
        resolve: resolve as (rows: unknown[]) => void,
        reject,
      };
      this.jobs.push(job);
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
      const job = this.jobs[0]!;
      if (performance.now() >= job.deadline) {
        this.giveUp(job);
        continue;
      }
      clearTimeout(job.timer);
      void this.run(this.idle.pop()!, this.jobs.shift()!);
    }
  }

  /** What waits for a lane beyond its deadline is refused then, not when a lane is free. */
  private giveUp(job: Job): void {
    clearTimeout(job.timer);
    this.jobs.splice(this.jobs.indexOf(job), 1);
    job.prepare();
    job.reject(new Problem('decision-timeout'));
  }

  private async run(lane: Lane, job: Job): Promise<void> {
    this.statements += 1;
    try {
      job.resolve(await lane.read(job.prepare(), job.deadline));
    } catch (error) {
      job.reject(error);
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

  async read(statement: Statement, deadline: number): Promise<unknown[]> {
    try {
      const kept = this.link;
      if (!kept) {
        return await this.readOn(this.open(), statement, deadline);
      }
      try {
        return await this.readOn(kept, statement, deadline);
      } catch (error) {
        if (!isConnectionLost(error) || performance.now() >= deadline) {
          throw error;
        }
      }
      // It may have died long ago, when the server was started anew, and only sending has shown it. Nothing came of that,
      // and what is read now is newer still.
      return await this.readOn(this.open(), statement, deadline);
    } catch (error) {
      throw problemOf(error);
    }
  }

  private async readOn(link: Link, statement: Statement, deadline: number): Promise<unknown[]> {
    // A deadline that passes here ends the reading alone: a connection that takes long to make would never be made.
    await inTime(link.configured, deadline);
    try {
      // mysql2's own time-out gives the connection back while the server is still busy with it; this one is dropped.
      return await inTime(query(link.connection, statement), deadline);
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
        connection.query(MYSQL_SESSION, (error) => (error ? reject(error) : resolve()));
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

function query(connection: Connection, { mysql: sql, parameters }: Statement): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    connection.query<RowDataPacket[]>(sql, parameters, (error: QueryError | null, rows: RowDataPacket[]) =>
      error ? reject(error) : resolve(rows),
    );
  });
}

/** Hands on what work comes to, unless the deadline passes first. */
function inTime<Result>(work: Promise<Result>, deadline: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Problem('decision-timeout')), deadline - performance.now());
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function problemOf(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem('database-unavailable', undefined, {}, { cause: error });
}

class SqliteLane implements Lane {
  private database: Database.Database | undefined;
  private readonly prepared = new Map<string, Database.Statement<unknown[]>>();

  constructor(private readonly config: Config) {}

  async read({ sqlite, parameters, sqliteParameters }: Statement, deadline: number): Promise<unknown[]> {
    for (;;) {
      try {
        return this.prepare(sqlite).all(...(sqliteParameters ?? parameters));
      } catch (error) {
        if (!isSqliteBusy(error)) {
          throw new Problem('database-unavailable', undefined, {}, { cause: error });
        }
        if (performance.now() >= deadline) {
          throw new Problem('decision-timeout', undefined, {}, { cause: error });
        }
        await sleep(1 + Math.random() * 5);
      }
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
