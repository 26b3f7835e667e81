import type { Socket } from 'node:net';
import { createAuthority, ENDINGS } from '../support/authorities.js';
import { createPlace } from '../backoffice/coupon-fixtures.js';
import { CAMPAIGNS } from '../support/fixtures.js';
import type { TestDatabase } from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';
import { Replicas } from '../support/replicas.js';
import { runSql } from '../support/sql.js';
import { createDatabaseOn } from './faulty-mysql.js';
import { TcpProxy } from './tcp-proxy.js';
import { until } from './until.js';

/** MySQL closes a writing session that is silent for about 20 s, and then releases its locks. */
const FREED_MS = { least: 10_000, most: 40_000 };

const ENDS = ENDINGS.filter(({ name }) => /^a key (that was deleted|whose creator was deactivated)$/.test(name));

describe('a process that freezes just before a COMMIT', () => {
  let database: TestDatabase;
  let replicas: Replicas;
  let proxy: TcpProxy;
  let victim: ServerProcess;

  beforeAll(async () => {
    database = await createDatabaseOn('mysql');
    replicas = await Replicas.start(1, {}, database);
    proxy = await TcpProxy.start(database.url);
    victim = await startServer({ DATABASE_URL: proxy.through(database.url) });
  }, 120_000);
  afterAll(async () => {
    victim.kill('SIGCONT');
    await victim.stop();
    await proxy.close();
    await replicas.stop();
  });

  /** Freezes the victim when it commits the transaction that wrote a text. */
  function freezeAtCommitOf(text: string): () => boolean {
    const writing = new Set<Socket>();
    let frozen = false;
    proxy.holdsBack = (bytes, client) => {
      if (bytes.includes(text)) {
        writing.add(client);
      }
      if (frozen || !writing.has(client) || !bytes.includes('COMMIT')) {
        return false;
      }
      frozen = true;
      victim.kill('SIGSTOP');
      return true;
    };
    return () => frozen;
  }

  test.each(ENDS)(
    'delays the end of authority with 503s until MySQL closes its session, and its write has no effect: $name',
    async (ending) => {
      const place = await createPlace(replicas.keeper());
      const caller = await createAuthority(replicas, ending, [{ method: 'POST', path: CAMPAIGNS.path }]);
      const name = `Frozen ${caller.owner.id}`;
      const countWritten = async (): Promise<number> => {
        const sql = `SELECT COUNT(*) AS number FROM campaigns WHERE name = '${name}'`;
        return Number((await runSql(database, sql))[0]!.number);
      };
      const isFrozen = freezeAtCommitOf(name);
      const writing = fetch(`${victim.url}/v1/applications/${place.applicationId}/campaigns`, {
        method: 'POST',
        headers: { authorization: caller.authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ name }),
      });
      await until('the victim is about to commit', isFrozen);
      const began = performance.now();
      const failures: string[] = [];
      let hasEnded = false;
      while (!hasEnded && performance.now() - began < FREED_MS.most) {
        try {
          await ending.end(replicas, caller);
          hasEnded = true;
        } catch (error) {
          failures.push((error as Error).message);
        }
      }
      const endedMs = performance.now() - began;
      expect(await countWritten()).toBe(0);
      proxy.release();
      victim.kill('SIGCONT');
      const { status } = await writing;
      expect([401, 403, 503]).toContain(status);
      expect(await countWritten()).toBe(0);
      expect(hasEnded).toBe(true);
      expect(failures.filter((failure) => !failure.includes(' 503 '))).toEqual([]);
      expect(failures.length).toBeGreaterThan(0);
      expect(endedMs).toBeGreaterThan(FREED_MS.least);
    },
    120_000,
  );
});
