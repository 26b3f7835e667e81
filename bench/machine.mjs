// Describes the machine that the bench ran on.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { GENERATOR } from './load.mjs';
import { BUFFER_POOL_BYTES, mysqlServer } from './mysql-server.mjs';

/** Returns the machine and the versions as rows of a table. */
export async function describeMachine() {
  return [
    ['processors', `${cpus().length} x ${cpus()[0].model.trim()}, shared by server, database and load generator`],
    ['memory', `${Math.round(totalmem() / 2 ** 30)} GiB`],
    ['system', `Linux ${release()}`],
    ['Node', process.version],
    ['MySQL', `${await mysqlVersion()}, with a buffer pool of ${BUFFER_POOL_BYTES / 2 ** 20} MiB`],
    ['Nest', versionOf('@nestjs/core')],
    ['Better Auth', versionOf('better-auth')],
    ['load generator', GENERATOR],
    ['date', new Date().toISOString().slice(0, 10)],
  ];
}

async function mysqlVersion() {
  const connection = await mysql.createConnection(mysqlServer().href);
  const [[{ version }]] = await connection.query('SELECT VERSION() AS version');
  await connection.end();
  return version;
}

function versionOf(name) {
  const [folder] = createRequire(import.meta.url)
    .resolve.paths(name)
    .filter((path) => {
      try {
        return readFileSync(join(path, name, 'package.json'));
      } catch {
        return false;
      }
    });
  return JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version;
}
