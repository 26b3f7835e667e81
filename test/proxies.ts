import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The proxies that can be run for real. */
export type ProxyName = 'nginx' | 'caddy';

/** A proxy that runs with a configuration of its own. */
export interface RunningProxy {
  output(): string;
  stop(): Promise<void>;
}

/**
 * `describe`, if the proxy is installed. Without it the tests are skipped under a title that says why; with
 * REQUIRE_PROXIES=1 they fail instead.
 */
export function describeProxy(proxy: ProxyName, title: string, tests: () => void): void {
  if (findProxy(proxy)) {
    describe(title, tests);
  } else if (process.env.REQUIRE_PROXIES === '1') {
    describe(title, () => {
      test(`${proxy} is installed`, () => {
        throw new Error(`REQUIRE_PROXIES=1, but there is no ${proxy} in PATH: apt-get install ${proxy}`);
      });
    });
  } else {
    describe.skip(`${title} (skipped: ${proxy} is not installed)`, tests);
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a proxy in a folder of its own, with nothing in its environment but what is given, and waits until it listens.
 * Rejects with its output if it ends instead.
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
  const child = spawn(findProxy(proxy) ?? proxy, parameters, {
    env: { PATH: process.env.PATH, HOME: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = once(child, 'exit');
  const running: RunningProxy = {
    output: () => output,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) break;
    if (await listens(port)) return running;
    await sleep(50);
  }
  await running.stop();
  throw new Error(`${proxy} does not listen on ${port}:\n${output}`);
}

function findProxy(proxy: ProxyName): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return folders
    .map((folder) => join(folder, proxy))
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
