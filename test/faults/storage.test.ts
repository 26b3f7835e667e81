import { execFile } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { openSqlite } from '../../src/database/sqlite-driver.js';
import type { ProblemBody } from '../support/client.js';
import type { TestDatabase } from '../support/harness.js';
import { startServer } from '../support/process.js';
import { createDatabaseOn, FaultyMysql } from './faulty-mysql.js';
import { type Call, Load } from './load.js';
import { everyKind, type Service, someCoupons, startService } from './service.js';

const WITHIN_MS = 30_000;
const READS = /living|deleted|verification|list|readiness/;

function sqliteFile({ url }: TestDatabase): string {
  return url.slice('sqlite:'.length);
}

/** Returns the response of a service to one request of each kind. */
async function outcomesOf(service: Service, kinds: { [kind: string]: Call }): Promise<{ [kind: string]: string }> {
  const entries = Object.entries(kinds).map(async ([kind, { method, path, headers, body }]) => {
    const answer = await fetch(service.server.url + path, { method, headers, body: body?.() });
    const text = await answer.text();
    return [kind, answer.status < 500 ? String(answer.status) : (JSON.parse(text) as ProblemBody).code];
  });
  return Object.fromEntries(await Promise.all(entries)) as { [kind: string]: string };
}

async function counts({ admin, campaign }: Service): Promise<unknown[]> {
  const paths = ['/v1/api_keys?pageSize=1', '/v1/changes?pageSize=1&withTotalResultSize=true', '/v1/users?pageSize=1'];
  const sizes = paths.map(async (path) => (await admin.get<{ totalResultSize: number }>(path)).body.totalResultSize);
  const coupons = await admin.get<{ data: unknown[] }>(`${campaign}/coupons/no_total?pageSize=1000&valuesOnly=true`);
  return Promise.all([...sizes, coupons.body.data.length, (await admin.get(campaign)).body]);
}

/**
 * A small disk that only one process and, through it, the test can see. It needs no privileges, and disappears with the
 * process.
 */
class SmallDisk {
  static readonly PATH = '/mnt';
  static readonly RUN = [
    'unshare',
    '--map-root-user',
    '--mount',
    'sh',
    '-c',
    `mount -t tmpfs -o size=12m tmpfs ${SmallDisk.PATH} && exec "$0" "$@"`,
  ];

  constructor(private readonly pid: number) {}

  /** Fills the disk completely. */
  fill(): void {
    const file = openSync(this.at('ballast'), 'w');
    try {
      for (const size of [64 * 1024, 4096, 512, 1]) {
        writeUntilFull(file, Buffer.alloc(size));
      }
    } finally {
      closeSync(file);
    }
  }

  clear(): void {
    rmSync(this.at('ballast'));
  }

  files(): string[] {
    return readdirSync(this.at('.'));
  }

  private at(name: string): string {
    return join(`/proc/${this.pid}/root${SmallDisk.PATH}`, name);
  }
}

function writeUntilFull(file: number, bytes: Buffer): void {
  try {
    for (;;) {
      writeSync(file, bytes);
    }
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  }
}

describe('on a full disk', () => {
  test('SQLite refuses writes as storage-full, decisions continue, and everything recovers when there is space', async () => {
    const service = await startService(`sqlite:${SmallDisk.PATH}/latchkey.sqlite`, {}, SmallDisk.RUN);
    const kinds = everyKind(service);
    const load = new Load(service.server.url, kinds, 1);
    try {
      const disk = new SmallDisk(service.server.pid);
      await load.goesWell(2, WITHIN_MS);
      await load.stop();
      disk.fill();
      const before = await counts(service);
      const outcomes = await outcomesOf(service, kinds);
      for (const [kind, { good }] of Object.entries(kinds)) {
        expect({ [kind]: outcomes[kind] }).toEqual({ [kind]: READS.test(kind) ? String(good) : 'storage-full' });
      }
      const deletion = await service.admin.delete<ProblemBody>(`/v1/api_keys/${service.alive.id}`);
      expect(deletion).toMatchObject({ status: 503, body: { code: 'storage-full' } });
      expect(await counts(service)).toEqual(before);
      disk.clear();
      const again = new Load(service.server.url, kinds, 1);
      await again.goesWell(2, WITHIN_MS);
      await again.stop();
      expect(again.faults).toEqual([]);
      expect(await service.admin.delete(`/v1/api_keys/${service.alive.id}`)).toMatchObject({ status: 204 });
      expect(await outcomesOf(service, kinds)).toMatchObject({ 'forward auth of a living key': '401' });
    } finally {
      await load.stop();
      await service.server.stop();
    }
    expect(load.faults).toEqual([]);
  }, 120_000);

  test('an upload is refused, leaves no temporary file, and succeeds when there is space', async () => {
    const database = await createDatabaseOn('sqlite');
    const service = await startService(database.url, { TMPDIR: SmallDisk.PATH }, SmallDisk.RUN);
    const disk = new SmallDisk(service.server.pid);
    const upload: Call = { ...everyKind(service).import!, body: () => someCoupons(20_000) };
    try {
      disk.fill();
      const before = await counts(service);
      expect(await outcomesOf(service, { upload })).toEqual({ upload: 'storage-full' });
      expect(await counts(service)).toEqual(before);
      expect(disk.files()).toEqual(['ballast']);
      disk.clear();
      expect(await outcomesOf(service, { upload })).toEqual({ upload: '200' });
      expect(disk.files()).toEqual([]);
    } finally {
      await service.server.stop();
      await database.drop();
    }
  }, 120_000);
});

describe('on SQLite files that are not writable', () => {
  const run = promisify(execFile);
  let database: TestDatabase;
  let service: Service;

  beforeEach(async () => {
    database = await createDatabaseOn('sqlite');
    service = await startService(database.url);
  }, 120_000);
  afterEach(async () => {
    await service.server.stop();
    await database.drop();
  });

  /** Prevents or allows all writes of a process to files. Its locks and memory stay as they are. */
  async function allowFiles(size: '0' | 'unlimited'): Promise<void> {
    await run('prlimit', ['--pid', String(service.server.pid), `--fsize=${size}:`]);
  }

  test('writes are refused with a reason, decisions continue, and everything recovers when writes are possible', async () => {
    const kinds = everyKind(service);
    await allowFiles('0');
    const before = await counts(service);
    const outcomes = await outcomesOf(service, kinds);
    for (const [kind, { good }] of Object.entries(kinds)) {
      // The upload already fails in the folder for temporary files.
      const refusal = kind === 'import' ? 'storage-full' : 'database-unavailable';
      expect({ [kind]: outcomes[kind] }).toEqual({ [kind]: READS.test(kind) ? String(good) : refusal });
    }
    const deletion = await service.admin.delete<ProblemBody>(`/v1/api_keys/${service.alive.id}`);
    expect(deletion).toMatchObject({ status: 503, body: { code: 'database-unavailable' } });
    expect(await counts(service)).toEqual(before);
    await allowFiles('unlimited');
    const load = new Load(service.server.url, kinds, 1);
    await load.goesWell(2, WITHIN_MS);
    await load.stop();
    expect(load.faults).toEqual([]);
    service.server.kill('SIGKILL');
    await service.server.exited;
    const file = openSqlite(sqliteFile(database));
    expect(file.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }]);
    file.close();
  }, 120_000);

  test('a process that starts on them explains the fault and exits, and changes nothing', async () => {
    await service.server.stop();
    const folder = dirname(sqliteFile(database));
    const before = readFileSync(sqliteFile(database));
    const readOnly = ['unshare', '--map-root-user', '--mount', 'sh', '-c'];
    const mount = 'mount --bind "$F" "$F" && mount -o remount,bind,ro "$F" && exec "$0" "$@"';
    const starting = startServer({ DATABASE_URL: database.url, F: folder }, [...readOnly, mount]);
    await expect(starting).rejects.toThrow(
      /ended with 1:\nLatchkey does not start\. The disk of the database is read-only/,
    );
    expect(readFileSync(sqliteFile(database)).equals(before)).toBe(true);
  }, 120_000);
});

describe('on a read-only MySQL server', () => {
  let database: TestDatabase;
  let service: Service;
  let root: mysql.Connection;

  beforeAll(async () => {
    database = await createDatabaseOn('mysql');
    service = await startService(database.url);
    root = await mysql.createConnection((await FaultyMysql.start()).url);
  }, 120_000);
  afterAll(async () => {
    await root.query('SET GLOBAL super_read_only = 0, read_only = 0');
    await root.end();
    await service.server.stop();
    await database.drop();
  });

  test('writes are refused with a reason, decisions continue, and everything recovers when writes are possible', async () => {
    const kinds = everyKind(service);
    await root.query('SET GLOBAL super_read_only = 1');
    const before = await counts(service);
    const outcomes = await outcomesOf(service, kinds);
    for (const [kind, { good }] of Object.entries(kinds)) {
      expect({ [kind]: outcomes[kind] }).toEqual({ [kind]: READS.test(kind) ? String(good) : 'database-unavailable' });
    }
    expect(await counts(service)).toEqual(before);
    await root.query('SET GLOBAL super_read_only = 0, read_only = 0');
    const load = new Load(service.server.url, kinds, 1);
    await load.goesWell(2, WITHIN_MS);
    await load.stop();
    expect(load.faults).toEqual([]);
  }, 120_000);
});
