import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { mintSecret } from '../../src/access/secret.js';
import type { TestDatabase } from '../support/harness.js';
import { createDatabaseOn, ENGINES } from './faulty-mysql.js';
import { Load } from './load.js';
import { everyKind, type Service, startService } from './service.js';
import { until } from './until.js';

const PER_SECOND = 10_000;
const SECONDS = 3;
const SOCKETS = 20;
const TICK_MS = 5;
/** How many callers wait for a response at once. A machine that cannot respond as fast gets fewer requests. */
const WAITING_MAX = 500;

/** Returns secrets with valid checksums that were never issued. */
function unknownSecrets(prefix: 'lkm_' | 'lks_'): string[] {
  return Array.from({ length: PER_SECOND * SECONDS }, () => mintSecret(prefix));
}

const HEAD =
  'GET /v1/forward_auth/original/management HTTP/1.1\r\nHost: x\r\nX-Original-Method: GET\r\nX-Original-URI: /v1/applications\r\n';

/** Returns a request for a decision about a key. */
function decisionAbout(key: string): string {
  return `${HEAD}Authorization: ManagementKey-v1 ${key}\r\n\r\n`;
}

/** Returns a request with a session token. */
function requestWith(token: string): string {
  return `GET /v1/sessions/current HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`;
}

/** Returns a key with one character changed. */
function mistype(key: string): string {
  return `${key.slice(0, 20)}${key[20] === 'x' ? 'y' : 'x'}${key.slice(21)}`;
}

/** Sends requests at a steady rate, if the service keeps up, and counts the responses by status. */
class Flood {
  readonly answers = new Map<string, number>();
  sent = 0;
  private readonly sockets: Socket[];

  constructor(
    url: string,
    private readonly requests: string[],
  ) {
    const { hostname, port } = new URL(url);
    this.sockets = Array.from({ length: SOCKETS }, () => connect(Number(port), hostname));
    for (const socket of this.sockets) {
      let rest = '';
      socket.setEncoding('latin1');
      socket.on('data', (chunk: string) => {
        const text = rest + chunk;
        for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
          this.answers.set(status!, (this.answers.get(status!) ?? 0) + 1);
        }
        // Keeps the end of the text that could begin a status line.
        rest = /(?:H|HT|HTT|HTTP|HTTP\/|HTTP\/1|HTTP\/1\.|HTTP\/1\.1|HTTP\/1\.1 \d{0,3})$/.exec(text)?.[0] ?? '';
      });
    }
  }

  get completed(): number {
    return [...this.answers.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Sends all requests. */
  async run(): Promise<void> {
    const began = performance.now();
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const due = Math.min(((performance.now() - began) / 1000) * PER_SECOND, this.requests.length);
        while (this.sent < due && this.sent - this.completed < WAITING_MAX) {
          this.sockets[this.sent % SOCKETS]!.write(this.requests[this.sent]!);
          this.sent += 1;
        }
        if (this.sent === this.requests.length) {
          clearInterval(timer);
          resolve();
        }
      }, TICK_MS);
    });
  }

  async close(): Promise<void> {
    await Promise.all(
      this.sockets.map(async (socket) => {
        socket.destroy();
        await once(socket, 'close');
      }),
    );
  }
}

describe.each(ENGINES)(`on %s, with ${PER_SECOND} wrong keys per second`, (engine) => {
  let database: TestDatabase;
  let service: Service;

  beforeAll(async () => {
    database = await createDatabaseOn(engine);
    service = await startService(database.url, { LOG_LEVEL: 'info' });
  }, 120_000);
  afterAll(async () => {
    await service.server.stop();
    await database.drop();
  });

  async function queries(): Promise<number> {
    const metrics = await (await fetch(`${service.server.url}/metrics`)).text();
    return Number(/^latchkey_decision_statements_total (\d+)$/m.exec(metrics)![1]);
  }

  async function flood(requests: string[]): Promise<{ flood: Flood; queryCount: number; good: number }> {
    const living = everyKind(service)['forward auth of a living key']!;
    const before = await queries();
    const load = new Load(service.server.url, { good: living }, 4);
    const wrong = new Flood(service.server.url, requests);
    try {
      await wrong.run();
      await until('all requests have responses', () => wrong.completed === wrong.sent);
      await load.goesWell(1, 5000);
    } finally {
      await load.stop();
      await wrong.close();
    }
    expect(load.records.filter((record) => !load.isGood(record))).toEqual([]);
    expect(load.faults).toEqual([]);
    return { flood: wrong, queryCount: (await queries()) - before, good: load.records.length };
  }

  test('malformed keys cause no database queries, and valid keys are accepted meanwhile', async () => {
    const { flood: wrong, queryCount, good } = await flood(unknownSecrets('lkm_').map(mistype).map(decisionAbout));
    expect(Object.fromEntries(wrong.answers)).toEqual({ 401: PER_SECOND * SECONDS });
    expect(good).toBeGreaterThan(0);
    expect(queryCount).toBeLessThanOrEqual(good);
  }, 90_000);

  test.each([
    ['unknown keys', unknownSecrets('lkm_').map(decisionAbout)],
    ['unknown session tokens', unknownSecrets('lks_').map(requestWith)],
  ])(
    '%s share queries, and valid keys are accepted meanwhile',
    async (_what, requests) => {
      const { flood: wrong, queryCount, good } = await flood(requests);
      expect(Object.fromEntries(wrong.answers)).toEqual({ 401: PER_SECOND * SECONDS });
      expect(good).toBeGreaterThan(0);
      expect(queryCount).toBeLessThan(wrong.sent / 2 + good);
    },
    90_000,
  );
});
