import { connect, type Socket } from 'node:net';
import { Client } from '../support/client.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, createDatabase, type TestDatabase } from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';

/** How many connections send an endless body that is refused. */
const CROWD = Number(process.env.CROWD ?? 3000);
/** How many of them send as fast as they can. The others send a byte now and then. */
const EAGER = 20;
/**
 * When all connections must be closed. The rest of a body is drained for five seconds, and a busy machine notices the
 * end later.
 */
const GONE_AFTER_MS = 45_000;
/** What a connection may cost at most: one read of Node, and its state. */
const BYTES_EACH = 100_000;
const BYTES_ELSE = 150_000_000;

describe(`${CROWD} concurrent clients that are refused and keep sending`, () => {
  let database: TestDatabase;
  let server: ServerProcess;

  beforeAll(async () => {
    database = await createDatabase();
    server = await startServer({ DATABASE_URL: database.url, CONNECTIONS_MAX: '10000' });
  }, 60_000);

  afterAll(async () => {
    await server?.stop();
    await database?.drop();
  });

  const residentBytes = async (): Promise<number> => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    return Number(/^process_resident_memory_bytes (\S+)$/m.exec(metrics)![1]);
  };

  /** Opens one connection of the crowd, and returns its response when the connection has ended. */
  const one = (index: number, target: string, announced: string, piece: Buffer): Promise<string> =>
    new Promise((resolve) => {
      const { hostname, port } = new URL(server.url);
      const socket: Socket = connect(Number(port), hostname);
      let answer = '';
      const timer = setInterval(() => socket.write(piece), 500);
      const eager = (): boolean => socket.writable && socket.write(piece, () => setImmediate(eager));
      socket.setEncoding('latin1');
      socket.on('data', (chunk: string) => (answer += chunk));
      // A client that still sends after the end gets a network error.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        clearInterval(timer);
        resolve(answer);
      });
      socket.write(`POST ${target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${announced}\r\n\r\n`);
      if (index < EAGER) {
        eager();
      }
    });

  test.each([
    ['a body of a terabyte', '/v1/applications', 'Content-Length: 1000000000000', 'x'.repeat(16_384)],
    ['endless chunks', '/v1/applications', 'Transfer-Encoding: chunked', `4000\r\n${'x'.repeat(0x4000)}\r\n`],
    [
      'a body for forward auth',
      '/v1/forward_auth/original/management',
      'Content-Length: 1000000000000',
      'x'.repeat(16_384),
    ],
    [
      'a body that waits for 100-continue',
      '/v1/nothing',
      'Content-Length: 1000000000000\r\nExpect: 100-continue',
      'x'.repeat(16_384),
    ],
  ])(
    'with %s are disconnected in bounded time and memory, and others are served',
    async (_what, target, announced, piece) => {
      const { body } = await new Client(server.url, undefined, new Set()).post<{ token: string }>('/v1/sessions', {
        email: ADMIN_EMAIL,
        password: ADMIN_PASSWORD,
      });
      const others = new Client(server.url, `Bearer ${body.token}`, new Set());
      const before = await residentBytes();
      const began = performance.now();
      let isOver = false;
      const crowd = Promise.all(
        Array.from({ length: CROWD }, (_, index) => one(index, target, announced, Buffer.from(piece))),
      );
      void crowd.then(() => (isOver = true));
      let most = before;
      let served = 0;
      while (!isOver) {
        expect((await others.get('/v1/users')).status).toBe(200);
        served += 1;
        most = Math.max(most, await residentBytes());
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const answers = await crowd;
      expect(performance.now() - began).toBeLessThan(GONE_AFTER_MS);
      // If a connection is not read for too long, it may be gone with its response.
      const statuses = answers.map((answer) => /(?<=HTTP\/1\.1 )(?!100)\d+/.exec(answer)?.[0] ?? 'none');
      expect([...new Set(statuses)].filter((status) => !['none', '401', '403', '404'].includes(status))).toEqual([]);
      expect(statuses.filter((status) => status !== 'none').length).toBeGreaterThan(CROWD / 2);
      expect(served).toBeGreaterThan(3);
      expect(most - before).toBeLessThan(CROWD * BYTES_EACH + BYTES_ELSE);
    },
    120_000,
  );
});
