import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The proxies that tests can run. */
export type ProxyName = 'nginx' | 'caddy';

/** A program that listens on a port. */
export interface RunningProgram {
  output(): string;
  stop(): Promise<void>;
}

/** A proxy that runs with its own configuration. */
export type RunningProxy = RunningProgram;

/** Calls `describeInstalled` for one proxy. */
export function describeProxy(proxy: ProxyName, title: string, tests: () => void): void {
  describeInstalled([proxy], title, tests);
}

/**
 * Calls `describe` if these programs are installed. Otherwise the tests are skipped, and the title says why. With
 * REQUIRE_PROXIES=1 they fail instead.
 */
export function describeInstalled(programs: readonly string[], title: string, tests: () => void): void {
  const missing = programs.filter((program) => !findProgram(program));
  if (missing.length === 0) {
    describe(title, tests);
  } else if (process.env.REQUIRE_PROXIES === '1') {
    describe(title, () => {
      test.each(missing)('%s is installed', (program) => {
        throw new Error(`REQUIRE_PROXIES=1, but there is no ${program} in PATH: apt-get install ${program}`);
      });
    });
  } else {
    describe.skip(`${title} (skipped: ${missing.join(', ')} not installed)`, tests);
  }
}

/** Returns a port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a proxy in its own folder, with only the given environment, and waits until it listens. Rejects with its
 * output if it ends instead.
 */
export async function startProxy(
  proxy: ProxyName,
  configuration: string,
  port: number,
  environment: Record<string, string> = {},
): Promise<RunningProxy> {
  const folder = await mkdtemp(join(tmpdir(), `latchkey-${proxy}-`));
  const file = join(folder, proxy === 'nginx' ? 'nginx.conf' : 'Caddyfile');
  await writeFile(file, configuration);
  const parameters = {
    nginx: ['-p', folder, '-c', file, '-g', 'daemon off;'],
    caddy: ['run', '--adapter', 'caddyfile', '--config', file],
  }[proxy];
  const running = startProgram(proxy, parameters, port, { PATH: process.env.PATH, HOME: folder, ...environment });
  return running.then(
    ({ output, stop }) => ({ output, stop: () => stop().then(() => rm(folder, { recursive: true, force: true })) }),
    async (error: unknown) => {
      await rm(folder, { recursive: true, force: true });
      throw error;
    },
  );
}

/** Starts a program and waits until it listens. Rejects with its output if it ends instead. */
export async function startProgram(
  program: string,
  parameters: readonly string[],
  port: number,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<RunningProgram> {
  const child = spawn(findProgram(program) ?? program, parameters, {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit');
  const running: RunningProgram = {
    output: () => output,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) break;
    if (await listens(port)) return running;
    await sleep(50);
  }
  await running.stop();
  throw new Error(`${program} does not listen on ${port}:\n${output}`);
}

function findProgram(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
