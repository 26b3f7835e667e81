import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { createMysqlDatabase, createSqliteDatabase, type TestDatabase } from '../support/harness.js';
import { until } from './until.js';

const run = promisify(execFile);

/**
 * A MySQL server that only this test uses, so that it can be stopped, killed and frozen. `MYSQL_SERVER` names a script
 * that controls servers: `start PORT` prints the URL, `stop PORT` stops the server and keeps its data, `kill9 PORT`
 * kills it.
 */
export class FaultyMysql {
  private pid = 0;

  private constructor(
    private readonly script: string,
    private readonly port: string,
  ) {}

  /** Starts the server, unless an earlier test left it running. */
  static async start(): Promise<FaultyMysql> {
    const script = process.env.MYSQL_SERVER;
    if (!script) {
      throw new Error(
        'MYSQL_SERVER is not set: name a script that runs MySQL servers for tests (`start PORT`, `stop PORT`, `kill9 PORT`)',
      );
    }
    // Test files that run in parallel each have their own server.
    const port = Number(process.env.MYSQL_FAULTS_PORT ?? 3403) + Number(process.env.JEST_WORKER_ID ?? 1) - 1;
    const server = new FaultyMysql(script, String(port));
    await server.start();
    return server;
  }

  /** The URL of the server. The part after the last slash is an existing database. */
  get url(): string {
    return `mysql://root@127.0.0.1:${this.port}/latchkey`;
  }

  async start(): Promise<void> {
    try {
      await run(this.script, ['start', this.port]);
    } catch (error) {
      // The script may have read the last output of the old server as that of the new one.
      await until('the MySQL server takes connections', () => this.isReachable(), 60_000).catch(() => {
        throw error;
      });
    }
    const connection = await mysql.createConnection(this.url);
    const [rows] = await connection.query('SELECT @@pid_file AS file');
    await connection.end();
    this.pid = Number(readFileSync((rows as { file: string }[])[0]!.file, 'utf8'));
  }

  /** Stops the server and keeps its data. */
  async stop(): Promise<void> {
    await run(this.script, ['stop', this.port]);
    await this.gone();
  }

  /** Kills the server, and waits until it is gone. */
  async kill9(): Promise<void> {
    await run(this.script, ['kill9', this.port]);
    await this.gone();
  }

  /** Freezes the server: it keeps its connections, accepts new ones, and never responds. */
  async pause(): Promise<void> {
    process.kill(this.pid, 'SIGSTOP');
    // On a busy machine its threads continue for a moment.
    await until('the MySQL server is frozen', () =>
      readdirSync(`/proc/${this.pid}/task`).every((task) => this.isStopped(task)),
    );
  }

  private isStopped(task: string): boolean {
    // The state follows the name, which is in parentheses and may contain any characters.
    return readFileSync(`/proc/${this.pid}/task/${task}/stat`, 'utf8').split(') ').at(-1)!.startsWith('T');
  }

  /** Resumes the frozen server. */
  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  private async isReachable(): Promise<boolean> {
    try {
      await (await mysql.createConnection(this.url)).end();
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') {
        return false;
      }
      throw error;
    }
  }

  private async gone(): Promise<void> {
    await until('the MySQL server is gone', () => !isAlive(this.pid));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') {
      return false;
    }
    throw error;
  }
}

/** The engines for which every promise about faults holds. */
export const ENGINES = ['sqlite', 'mysql'] as const;

/** Creates an empty database on an engine. */
export async function createDatabaseOn(engine: (typeof ENGINES)[number]): Promise<TestDatabase> {
  return engine === 'sqlite' ? createSqliteDatabase() : createMysqlDatabase((await FaultyMysql.start()).url);
}
