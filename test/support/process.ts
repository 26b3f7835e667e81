import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Readable } from 'node:stream';
import { ADMIN_EMAIL, ADMIN_PASSWORD } from './harness.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** When a run that should end by itself is killed, in milliseconds. */
const RUN_MS = 60_000;

/** The built service, running as an operator runs it. */
export interface ServerProcess {
  url: string;
  pid: number;
  /** Returns everything written to stdout and stderr so far. */
  output(): string;
  /** Settles with the exit code when the process has ended, or with null if a signal ended it. */
  exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  /** Asks the process to end, and waits until it has. */
  stop(): Promise<number | null>;
}

/** A process of the service whose output is read. */
export type Child = ChildProcessByStdio<null, Readable, Readable>;

/** Runs `node dist/main.js`, or another command. Its environment contains only PATH and the given variables. */
export function spawnServer(
  environment: Record<string, string>,
  parameters: string[] = [],
  runBy: string[] = [],
): Child {
  const [command, ...rest] = [...runBy, process.execPath, MAIN, ...parameters];
  return spawn(command!, rest, {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** How a run of the built service ended, and what it wrote. */
export interface Run {
  /** Null if the process was killed because it did not end in time. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs the built service, or one of its commands, until it ends by itself. */
export async function runToEnd(
  environment: Record<string, string>,
  parameters: string[] = [],
  runBy: string[] = [],
): Promise<Run> {
  const child = spawnServer({ PORT: '0', ...environment }, parameters, runBy);
  const late = setTimeout(() => child.kill('SIGKILL'), RUN_MS);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(late);
  return { code, stdout, stderr };
}

/** Starts the built service on a free port and waits until it listens. Rejects with its output if it ends instead. */
export async function startServer(environment: Record<string, string>, runBy: string[] = []): Promise<ServerProcess> {
  const set = { PORT: '0', ADMIN_EMAIL, ADMIN_PASSWORD, LOG_LEVEL: 'info', DECISION_WAIT_MS: '10000', ...environment };
  return whenListening(spawnServer(set, [], runBy));
}

/** Waits until a started process listens. Rejects with its output if it ends instead. */
export async function whenListening(child: Child): Promise<ServerProcess> {
  let output = '';
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const url = await new Promise<string>((resolve, reject) => {
    let listening = false;
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const match = listening ? undefined : /listens on (http:\/\/[^\s"/;]+:\d+)/.exec(output);
      if (match) {
        listening = true;
        resolve(match[1]!);
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void exited.then((code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
  });
  return {
    url,
    pid: child.pid!,
    output: () => output,
    exited,
    kill: (signal) => void child.kill(signal),
    stop: () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}
