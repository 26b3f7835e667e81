// Starts the processes that are measured, and reads from the system how much processor time they used.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** The unit of /proc/<pid>/stat, on every Linux. */
const TICKS_PER_SECOND = 100;

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => process.exit(1));
}

/** Returns a free TCP port. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Runs a script with Node and waits until it listens. Its environment contains only PATH, PORT and the given variables.
 *
 * @param log the file for its output
 */
export async function startProcess(script, environment, log, nodeFlags = []) {
  const port = await freePort();
  const output = openSync(log, 'w');
  const child = spawn(process.execPath, [...nodeFlags, script], {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: String(port), ...environment },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  running.add(child);
  const exited = once(child, 'exit').then(() => running.delete(child));
  while (!(await listens(port))) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`${script} ended instead of listening:\n${readFileSync(log, 'utf8')}`);
    }
    await sleep(20);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid,
    cpuSeconds: () => cpuSecondsOf(child.pid),
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Returns the processor time of a process since its start, in seconds, over all its threads. */
export function cpuSecondsOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
