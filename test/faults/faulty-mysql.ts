import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { createMysqlDatabase, createSqliteDatabase, type TestDatabase } from '../support/harness.js';
import { until } from './until.js';

const run = promisify(execFile);

/**
 * A MySQL server that tests may stop, kill and freeze, because nobody else uses it. `MYSQL_SERVER` names a script that
 * starts and ends one: `start PORT` prints its URL, `stop PORT` ends it and keeps its data, `kill9 PORT` kills it.
 */
export class FaultyMysql {
  private pid = 0;

  private constructor(
    private readonly script: string,
    private readonly port: string,
  ) {}

  /** Starts the server, or finds it running from an earlier test. */
  static async start(): Promise<FaultyMysql> {
    const script = process.env.MYSQL_SERVER;
    if (!script) {
      throw new Error(
        'MYSQL_SERVER is not set: name a script that runs MySQL servers for tests (`start PORT`, `stop PORT`, `kill9 PORT`)',
      );
    }
    // Test files that run side by side have a server each.
    const port = Number(process.env.MYSQL_FAULTS_PORT ?? 3403) + Number(process.env.JEST_WORKER_ID ?? 1) - 1;
    const server = new FaultyMysql(script, String(port));
    await server.start();
    return server;
  }

  /** Its address; what follows the last slash is a database that is there. */
  get url(): string {
    return `mysql://root@127.0.0.1:${this.port}/latchkey`;
  }

  async start(): Promise<void> {
    try {
      await run(this.script, ['start', this.port]);
    } catch (error) {
      // The script may have taken the last words of the server that ended for those of the new one.
      await until('the MySQL server takes connections', () => this.isReachable(), 60_000).catch(() => {
        throw error;
      });
    }
    const connection = await mysql.createConnection(this.url);
    const [rows] = await connection.query('SELECT @@pid_file AS file');
    await connection.end();
    this.pid = Number(readFileSync((rows as { file: string }[])[0]!.file, 'utf8'));
  }

  /** Ends it in good order; its data stay. */
  async stop(): Promise<void> {
    await run(this.script, ['stop', this.port]);
    await this.gone();
  }

  /** Kills it, and waits until it is gone. */
  async kill9(): Promise<void> {
    await run(this.script, ['kill9', this.port]);
    await this.gone();
  }

  /** Freezes it: it keeps its connections, takes new ones, and answers nobody. */
  async pause(): Promise<void> {
    process.kill(this.pid, 'SIGSTOP');
    // On a busy machine its threads go on for a moment.
    await until('the MySQL server is frozen', () =>
      readdirSync(`/proc/${this.pid}/task`).every((task) => this.isStopped(task)),
    );
  }

  private isStopped(task: string): boolean {
    // The state stands behind the name, which is in parentheses and may have any characters.
    return readFileSync(`/proc/${this.pid}/task/${task}/stat`, 'utf8').split(') ').at(-1)!.startsWith('T');
  }

  /** Lets it go on. */
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

/** The engines that every promise about faults holds on. */
export const ENGINES = ['sqlite', 'mysql'] as const;

/** Makes an empty database on an engine. */
export async function createDatabaseOn(engine: (typeof ENGINES)[number]): Promise<TestDatabase> {
  return engine === 'sqlite' ? createSqliteDatabase() : createMysqlDatabase((await FaultyMysql.start()).url);
}
