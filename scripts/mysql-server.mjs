#!/usr/bin/env node
// Runs MySQL servers for tests on 127.0.0.1, without a password: `scripts/mysql-server.mjs start [PORT]`.
//
//   start  starts a server unless it runs, and prints its URL
//   url    prints the URL
//   stop   stops the server and keeps its data
//   kill9  kills the server and keeps its data
//   reset  stops the server and removes its data
//
// Each port has its own server with its own data. The default port is 3417. The script uses the first MySQL it finds:
//   1. the program that MYSQLD names, such as bin/mysqld of an unpacked archive from dev.mysql.com
//   2. the image mysql:9, if a Docker engine responds (on Linux)
//   3. the `mysqld` on the PATH, from version 8.4 on
//   4. on Debian: the package mysql-server-core, downloaded once and unpacked below MYSQL_CACHE, but not installed
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const IMAGE = 'mysql:9';
const SIGNED_BY = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** How long a server may take to start or stop, in milliseconds. A busy machine needs more than the usual 3 s. */
const WAIT_MS = 120_000;

const [verb = 'start', port = '3417'] = process.argv.slice(2);
const cache = process.env.MYSQL_CACHE ?? join(homedir(), '.cache/latchkey-mysql');
const folder = join(cache, port);
const data = join(folder, 'data');
const pidFile = join(folder, 'pid');
const url = `mysql://root@127.0.0.1:${port}/latchkey`;

const read = (file) => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};
const lastLines = (file) => read(file).trimEnd().split('\n').slice(-5).join('\n');

/** Runs a command until it exits. Throws with its output if it fails. */
function run(command, parameters, options) {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, { encoding: 'utf8', ...options });
  if (error || status !== 0) {
    throw new Error(`${command} failed: ${error?.message ?? `${stdout}${stderr}`.trim()}`);
  }
  return stdout;
}

/** Returns the id of the server's process if it runs. After a crash, another process may have the same id. */
function runningPid() {
  const pid = Number(read(pidFile));
  if (!pid) {
    return undefined;
  }
  try {
    process.kill(pid, 0);
  } catch {
    return undefined;
  }
  return !existsSync('/proc/self/cmdline') || read(`/proc/${pid}/cmdline`).includes(data) ? pid : undefined;
}

function listens() {
  return new Promise((resolve) => {
    const socket = connect(Number(port), '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Polls a condition until it holds. Returns whether it held in time. */
async function until(condition) {
  const deadline = Date.now() + WAIT_MS;
  while (Date.now() < deadline) {
    if (await condition()) {
      return true;
    }
    await sleep(100);
  }
  return false;
}

/** Returns the command that runs mysqld, without the options of the server. */
function findMysqld() {
  if (process.env.MYSQLD) {
    return [process.env.MYSQLD];
  }
  if (process.platform === 'linux' && spawnSync('docker', ['version'], { timeout: 10_000 }).status === 0) {
    return inDocker();
  }
  const { stdout = '' } = spawnSync('mysqld', ['--version'], { encoding: 'utf8' });
  const [, major = 0, minor = 0] = /Ver (\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  if (!/mariadb/i.test(stdout ?? '') && (Number(major) > 8 || (Number(major) === 8 && Number(minor) >= 4))) {
    return ['mysqld'];
  }
  if (spawnSync('dpkg', ['--version']).status === 0) {
    return unpackedFromDebian();
  }
  throw new Error('There is no MySQL 8.4 or later here. Start Docker, or name a mysqld: MYSQLD=/opt/mysql/bin/mysqld');
}

/**
 * Runs the server in Docker with the network, processes and files of the host, so that tests can freeze and kill it.
 */
function inDocker() {
  const { uid, gid } = userInfo();
  return [
    ...['docker', 'run', '--rm', '--network=host', '--pid=host', `--user=${uid}:${gid}`],
    ...[`--volume=${folder}:${folder}`, '--entrypoint=mysqld', IMAGE],
  ];
}

/** Unpacks the package from Debian's unstable release, with the libraries that older releases lack. */
function unpackedFromDebian() {
  const root = join(cache, 'debian');
  if (!existsSync(root)) {
    const part = `${root}.${process.pid}`;
    try {
      unpack(part);
      renameSync(join(part, 'root'), root);
    } finally {
      rmSync(part, { recursive: true, force: true });
    }
  }
  const libraries = join(root, 'usr/lib');
  const triplet = readdirSync(libraries).find((name) => /-linux-gnu/.test(name));
  const loader = ['usr/lib64', 'usr/lib', `usr/lib/${triplet}`]
    .map((path) => join(root, path))
    .filter((path) => existsSync(path))
    .flatMap((path) => readdirSync(path).map((name) => join(path, name)))
    .find((file) => /\/ld-linux[^/]*\.so\.\d$/.test(file));
  return [
    ...[loader, '--library-path', `${join(libraries, triplet)}:${join(libraries, 'mysql/private')}`],
    ...[join(root, 'usr/sbin/mysqld'), '--no-defaults'],
    `--lc-messages-dir=${join(root, 'usr/share/mysql')}`,
    `--character-sets-dir=${join(root, 'usr/share/mysql/charsets')}`,
    `--plugin-dir=${join(libraries, 'mysql/plugin')}`,
  ];
}

function unpack(part) {
  if (!existsSync(SIGNED_BY)) {
    throw new Error(`${SIGNED_BY} is missing: apt-get install debian-archive-keyring, or name a mysqld: MYSQLD=...`);
  }
  const apt = join(part, 'apt');
  const folders = ['etc/apt/apt.conf.d', 'etc/apt/preferences.d', 'var/lib/apt/lists/partial', 'var/lib/dpkg'];
  for (const path of [...folders, 'var/cache/apt/archives/partial']) {
    mkdirSync(join(apt, path), { recursive: true });
  }
  const sources = `${read('/etc/apt/sources.list.d/debian.sources')}\n${read('/etc/apt/sources.list')}`;
  const mirror = /https?:\/\/\S+\/debian\/?(?=\s)/.exec(sources.replaceAll(/^\s*#.*$/gm, ''))?.[0];
  const source = `deb [signed-by=${SIGNED_BY}] ${mirror ?? 'http://deb.debian.org/debian'} sid main\n`;
  writeFileSync(join(apt, 'etc/apt/sources.list'), source);
  const status = join(apt, 'var/lib/dpkg/status');
  writeFileSync(status, '');
  const options = ['-qq', '-o', `Dir=${apt}`, '-o', `Dir::State::status=${status}`];
  // As root, apt would download as a user who may not read root's folders.
  options.push('-o', `APT::Sandbox::User=${userInfo().username}`);
  run('apt-get', [...options, 'update']);
  const wanted = ['install', '-y', '--no-install-recommends', '--download-only', 'mysql-server-core'];
  run('apt-get', [...options, ...wanted]);
  const archives = join(apt, 'var/cache/apt/archives');
  for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
    run('dpkg', ['-x', join(archives, file), join(part, 'root')]);
  }
}

async function start() {
  if (runningPid() === undefined) {
    mkdirSync(folder, { recursive: true });
    const [command, ...found] = findMysqld();
    const parameters = [...found, ...(found.includes('--no-defaults') ? [] : ['--no-defaults'])];
    parameters.push(`--user=${userInfo().username}`, `--datadir=${data}`, '--secure-file-priv=');
    if (!existsSync(join(data, 'mysql'))) {
      rmSync(data, { recursive: true, force: true });
      mkdirSync(data);
      run(command, [...parameters, '--initialize-insecure']);
    }
    const init = join(folder, 'init.sql');
    writeFileSync(init, 'CREATE DATABASE IF NOT EXISTS latchkey CHARACTER SET utf8mb4;\n');
    rmSync(pidFile, { force: true });
    const log = openSync(join(folder, 'log'), 'w');
    const server = spawn(
      command,
      [
        ...parameters,
        ...[`--port=${port}`, '--bind-address=127.0.0.1', '--mysqlx=0', '--max-connections=400'],
        ...[`--socket=${join(folder, 'socket')}`, `--pid-file=${pidFile}`, `--init-file=${init}`],
        // A test kills the process and not the machine, so what is written need not reach the disk.
        ...['--innodb-flush-log-at-trx-commit=2', '--sync-binlog=0', '--innodb-doublewrite=OFF'],
      ],
      { detached: true, stdio: ['ignore', log, log] },
    );
    closeSync(log);
    let isEnded = false;
    server.once('exit', () => (isEnded = true)).once('error', () => (isEnded = true));
    server.unref();
    await until(async () => isEnded || (runningPid() !== undefined && (await listens())));
  }
  if (!(await until(async () => runningPid() === undefined || (await listens()))) || runningPid() === undefined) {
    throw new Error(`The server did not start. The end of ${join(folder, 'log')}:\n${lastLines(join(folder, 'log'))}`);
  }
  console.log(url);
}

async function end(signal) {
  const pid = runningPid();
  if (pid !== undefined) {
    process.kill(pid, signal);
    if (!(await until(() => runningPid() === undefined))) {
      throw new Error(`The server (process ${pid}) did not end. If it is frozen, use kill9.`);
    }
  }
}

const VERBS = {
  start,
  url: () => console.log(url),
  stop: () => end('SIGTERM'),
  kill9: () => end('SIGKILL'),
  reset: async () => {
    await end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  },
};

if (!Object.hasOwn(VERBS, verb) || !/^\d{1,5}$/.test(port)) {
  console.error('Usage: scripts/mysql-server.mjs [start | url | stop | kill9 | reset] [PORT]');
  process.exit(2);
}
try {
  await VERBS[verb]();
} catch (error) {
  console.error(`mysql-server: ${error.message}`);
  process.exit(1);
}
