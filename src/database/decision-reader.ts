import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import Database from 'better-sqlite3';
import mysql, { type Connection, type QueryError, type RowDataPacket } from 'mysql2';
import { Config } from '../config/config.js';
import { Problem } from '../http/problem.js';
import { configureMysql, configureSqlite, engineOf, mysqlOptions, sqliteFile } from './data-source.js';
import { isSqliteBusy } from './driver-errors.js';

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
  resolve: (rows: unknown[]) => void;
  reject: (error: unknown) => void;
}

const MYSQL_LANES = 2;

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
      this.jobs.push({ prepare, deadline, resolve: resolve as (rows: unknown[]) => void, reject });
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
      const job = this.jobs.shift()!;
      if (performance.now() >= job.deadline) {
        job.prepare();
        job.reject(new Problem('decision-timeout'));
        continue;
      }
      void this.run(this.idle.pop()!, job);
    }
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

class MysqlLane implements Lane {
  private connection: Connection | undefined;

  constructor(private readonly config: Config) {}

  read(statement: Statement, deadline: number): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      const connection = (this.connection ??= this.open());
      let done = false;
      const finish = (error: Error | null, rows?: unknown[]): void => {
        if (done) {
          return;
        }
        done = true;
        clearTimeout(timer);
        if (error) {
          this.drop(connection);
          reject(
            error instanceof Problem ? error : new Problem('database-unavailable', undefined, {}, { cause: error }),
          );
        } else {
          resolve(rows!);
        }
      };
      // mysql2's own time-out gives the connection back while the server is still busy with it; this one destroys it.
      const timer = setTimeout(() => finish(new Problem('decision-timeout')), deadline - performance.now());
      connection.query<RowDataPacket[]>(
        statement.mysql,
        statement.parameters,
        (error: QueryError | null, rows: RowDataPacket[]) => finish(error, rows),
      );
    });
  }

  close(): void {
    this.connection?.destroy();
    this.connection = undefined;
  }

  private open(): Connection {
    const connection = mysql.createConnection(mysqlOptions(this.config));
    connection.on('error', () => this.drop(connection));
    configureMysql(connection);
    return connection;
  }

  private drop(connection: Connection): void {
    connection.destroy();
    if (this.connection === connection) {
      this.connection = undefined;
    }
  }
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
