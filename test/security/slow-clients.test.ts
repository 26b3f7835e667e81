import { connect, type Socket } from 'node:net';
import { Client } from '../support/client.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, createDatabase, type TestDatabase } from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';

/** How many connections the process may hold in this test. */
const CONNECTIONS_MAX = 40;

/** How a connection ended. */
interface End {
  answer: string;
  seconds: number;
}

/**
 * Clients hold connections, all at the same time. Each connection must end in bounded time without affecting other
 * clients.
 */
describe('a client that is slow on purpose', () => {
  let database: TestDatabase;
  let server: ServerProcess;
  let token: string;

  beforeAll(async () => {
    database = await createDatabase();
    server = await startServer({ DATABASE_URL: database.url, CONNECTIONS_MAX: String(CONNECTIONS_MAX) });
    const anonymous = new Client(server.url, undefined, new Set());
    const { body } = await anonymous.post<{ token: string }>('/v1/sessions', {
      email: ADMIN_EMAIL,
      password: ADMIN_PASSWORD,
    });
    ({ token } = body);
  }, 60_000);

  afterAll(async () => {
    await server?.stop();
    await database?.drop();
  });

  const open = (): Socket => {
    const { hostname, port } = new URL(server.url);
    return connect(Number(port), hostname);
  };

  /** Sends a text at once, and then another piece every half second, until the connection ends. */
  const trickle = (first: string, piece = ''): Promise<End> =>
    new Promise((resolve) => {
      const began = performance.now();
      const socket = open();
      let answer = '';
      const timer = setInterval(() => piece !== '' && socket.write(piece), 500);
      socket.setEncoding('latin1');
      socket.on('data', (chunk: string) => (answer += chunk));
      // A client that still sends after the end gets a network error.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        clearInterval(timer);
        resolve({ answer, seconds: (performance.now() - began) / 1000 });
      });
      socket.write(first);
    });

  const head = (method: string, path: string, ...lines: string[]): string =>
    [`${method} ${path} HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n');
  const json = (length: number): string[] => ['Content-Type: application/json', `Content-Length: ${length}`];
  const signedIn = (): string => `Authorization: Bearer ${token}`;

  test('is disconnected in bounded time, whatever it delays, and delays no other client', async () => {
    const slow: Record<string, Promise<End>> = {
      silence: trickle(''),
      'half a request line': trickle('GET /v1/us'),
      'a header line every half second': trickle('GET /v1/users HTTP/1.1\r\nHost: x\r\n', 'X-A: b\r\n'),
      'half of the headers of forward auth': trickle(
        'GET /v1/forward_auth/original/management HTTP/1.1\r\n',
        'X-A: b\r\n',
      ),
      'a JSON body that never arrives': trickle(head('POST', '/v1/applications', signedIn(), ...json(1000)), ''),
      'a JSON body byte by byte': trickle(head('POST', '/v1/applications', signedIn(), ...json(1000)), '{'),
      'credentials byte by byte': trickle(head('POST', '/v1/sessions', ...json(1000)), '{'),
      'chunks without an end': trickle(
        head('POST', '/v1/sessions', 'Content-Type: application/json', 'Transfer-Encoding: chunked'),
        '1\r\n{\r\n',
      ),
      'a body after its refusal': trickle(head('POST', '/v1/applications', ...json(1000)), '{'),
      'a body of a GET': trickle(head('GET', '/health/live', ...json(1000)), '{'),
      'a body for forward auth': trickle(head('GET', '/v1/forward_auth/original/management', ...json(1000)), '{'),
    };
    const others = new Client(server.url, `Bearer ${token}`, new Set());
    let isOver = false;
    const ends = Promise.all(Object.values(slow)).finally(() => (isOver = true));
    let slowestMs = 0;
    while (!isOver) {
      const began = performance.now();
      expect((await others.get('/v1/users')).status).toBe(200);
      slowestMs = Math.max(slowestMs, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const found = Object.fromEntries(
      (await ends).map(({ answer, seconds }, index) => {
        const [status = ''] = /(?<=^HTTP\/1\.1 )\d+/.exec(answer) ?? [];
        const inTime = seconds < 30 ? 'in time' : `after ${seconds} s`;
        return [Object.keys(slow)[index], `${status} ${inTime}`];
      }),
    );
    expect(found).toEqual({
      silence: '408 in time',
      'half a request line': '408 in time',
      'a header line every half second': '408 in time',
      'half of the headers of forward auth': '408 in time',
      'a JSON body that never arrives': '408 in time',
      'a JSON body byte by byte': '408 in time',
      'credentials byte by byte': '408 in time',
      'chunks without an end': '408 in time',
      'a body after its refusal': '401 in time',
      'a body of a GET': '200 in time',
      'a body for forward auth': '401 in time',
    });
    // A request that waits for one of them would wait for ten seconds or more.
    expect(slowestMs).toBeLessThan(8000);
  }, 120_000);

  test('is disconnected if it does not read responses, even if it keeps sending a body', async () => {
    const ends = [true, false].map(async (keepsSending) => {
      const socket = open();
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      socket.on('error', () => socket.destroy());
      socket.pause();
      // Far more than the buffers on both sides hold.
      socket.write(head('GET', '/openapi.json').repeat(100) + head('POST', '/v1/sessions', ...json(100_000)));
      const began = performance.now();
      // A socket that is not read only notices its end by writing.
      const timer = setInterval(() => {
        if (keepsSending || performance.now() - began > 45_000) {
          socket.write('x');
        }
      }, 500);
      await closed;
      clearInterval(timer);
      return (performance.now() - began) / 1000;
    });
    for (const seconds of await Promise.all(ends)) {
      expect(seconds).toBeLessThan(90);
    }
    expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
  }, 120_000);

  test.each([
    ['one header', [`X-A: ${'a'.repeat(20_000)}`]],
    ['many headers', Array.from({ length: 2000 }, (_, index) => `X-${index}: ${index}`)],
    ['a cookie', [`Cookie: ${'a=b; '.repeat(5000)}`]],
  ])('gets a 431 for headers that are too large: %s', async (_what, lines) => {
    const { answer } = await trickle(head('GET', '/v1/users', ...lines));
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('Content-Type: application/problem+json');
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({
      code: 'headers-too-large',
      status: 431,
    });
  });

  test('gets a 431 for a request target that is too long', async () => {
    const { answer } = await trickle(head('GET', `/v1/users?name=${'a'.repeat(20_000)}`));
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  });

  test('cannot exceed the maximum number of connections, and blocks no connections after its own end', async () => {
    // Connections of earlier tests are gone. Only idle keep-alive connections count.
    const crowd = Array.from({ length: CONNECTIONS_MAX * 2 }, open);
    let kept = crowd.length;
    for (const socket of crowd) {
      socket.on('error', () => socket.destroy());
      socket.on('close', () => (kept -= 1));
    }
    const full = performance.now() + 20_000;
    while (kept > CONNECTIONS_MAX && performance.now() < full) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(kept).toBeLessThanOrEqual(CONNECTIONS_MAX);
    expect(kept).toBeGreaterThan(CONNECTIONS_MAX / 2);
    crowd.forEach((socket) => socket.destroy());
    const deadline = performance.now() + 20_000;
    let status = 0;
    while (status !== 200 && performance.now() < deadline) {
      status = await fetch(`${server.url}/health/ready`).then(
        (response) => response.status,
        () => 0,
      );
    }
    expect(status).toBe(200);
  }, 60_000);
});
