// Runs the fault suite on its own MySQL servers, and removes them afterwards: `npm run test:faults`.
//
//   MYSQL_SERVER       a script that runs MySQL servers: `start PORT`, `stop PORT`, `kill9 PORT`, `reset PORT`;
//                      default scripts/mysql-server.mjs
//   MYSQL_FAULTS_PORT  the port of the first server; the second uses the next port; default: free ports
//   FAULT_ROUNDS       how often processes are killed on each engine; default 50
//   FAULT_OUTAGE_MS    how long each outage of MySQL lasts; default 10000
//   FAULT_MINUTES      after how many minutes the run is aborted; default 60
//
// Parameters go to jest, such as the names of test files.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKERS = 2;
const mysqlServer = process.env.MYSQL_SERVER ?? fileURLToPath(new URL('mysql-server.mjs', import.meta.url));

async function isFree(port) {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch (error) {
    if (error.code === 'EADDRINUSE') {
      return false;
    }
    throw error;
  }
}

/** Returns the first of a row of free ports, with one port for each worker. */
async function freePorts() {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all(Array.from({ length: WORKERS }, (_, number) => isFree(first + number)));
    if (free.every(Boolean)) {
      return first;
    }
  }
}

const firstPort = Number(process.env.MYSQL_FAULTS_PORT ?? (await freePorts()));
// The databases of interrupted tests would otherwise stay forever.
const folder = mkdtempSync(join(tmpdir(), 'latchkey-faults-'));
const files = process.argv.slice(2);
const jest = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    `--maxWorkers=${WORKERS}`,
    '--forceExit',
    `--cacheDirectory=${join(tmpdir(), 'latchkey-jest')}`,
    ...files,
  ],
  {
    stdio: 'inherit',
    // The process group contains every process that it starts, except the MySQL servers.
    detached: true,
    env: {
      ...process.env,
      SUITES: 'faults',
      TMPDIR: folder,
      MYSQL_SERVER: mysqlServer,
      MYSQL_FAULTS_PORT: String(firstPort),
    },
  },
);

function killAll() {
  try {
    process.kill(-jest.pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') {
      throw error;
    }
  }
}

const minutes = Number(process.env.FAULT_MINUTES ?? 60);
const timer = setTimeout(() => {
  console.error(`The fault suite did not end within ${minutes} minutes.`);
  killAll();
}, minutes * 60_000);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, killAll);
}

const [status] = await once(jest, 'exit');
clearTimeout(timer);
killAll();
for (let port = firstPort; port < firstPort + WORKERS; port += 1) {
  // A frozen server cannot receive a request to stop.
  spawnSync(mysqlServer, ['kill9', String(port)], { stdio: 'ignore' });
  spawnSync(mysqlServer, ['reset', String(port)], { stdio: 'ignore' });
}
rmSync(folder, { recursive: true, force: true });
process.exit(status ?? 1);
