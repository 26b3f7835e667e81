import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import { openSqlite } from '../../src/database/sqlite-driver.js';
import { Client } from '../support/client.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, type TestDatabase } from '../support/harness.js';
import { CAMPAIGNS, createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { type ServerProcess, startServer } from '../support/process.js';
import { createDatabaseOn, ENGINES } from './faulty-mysql.js';

/** How many rows take at least a second to write. */
const MANY = 300_000;
/** How long after SIGTERM a process may run at most. */
const ENDED_MS = 10_000;
/** When connections that still hold something are cut. They must not be cut earlier. */
const CUT_MS = 9_000;
/** How much a busy machine may add. */
const SLACK_MS = 5_000;

/** Blocks writes until the returned function is called: on SQLite to the database, on MySQL to a campaign. */
async function holdUp({ url, engine }: TestDatabase, campaignId: number): Promise<() => Promise<void>> {
  if (engine === 'sqlite') {
    const connection = openSqlite(url.slice('sqlite:'.length));
    connection.exec('BEGIN IMMEDIATE');
    return async () => void connection.close();
  }
  const connection = await mysql.createConnection(url);
  await connection.beginTransaction();
  await connection.query('SELECT id FROM campaigns WHERE id = ? FOR UPDATE', [campaignId]);
  return () => connection.end();
}

describe.each(ENGINES)('on %s, a process that receives SIGTERM', (engine) => {
  let database: TestDatabase;
  let server: ServerProcess;
  let admin: Client;
  let applicationId: number;
  let key: MadeKey;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    database = await createDatabaseOn(engine);
  }, 120_000);
  afterAll(() => database.drop());

  beforeEach(async () => {
    await restart();
    applicationId = await createApplication(admin, `Shop ${Math.random()}`);
    key = await createKey(admin, { expiryDate: '2099-01-01' });
  });
  afterEach(async () => {
    sockets.splice(0).forEach((socket) => socket.destroy());
    server.kill('SIGKILL');
    await server.exited;
  });

  async function restart(): Promise<void> {
    server = await startServer({ DATABASE_URL: database.url });
    const session = await new Client(server.url, undefined, new Set()).post<{ token: string }>('/v1/sessions', {
      email: ADMIN_EMAIL,
      password: ADMIN_PASSWORD,
    });
    admin = new Client(server.url, `Bearer ${session.body.token}`, new Set());
  }

  /** Opens a connection whose received bytes the test can read. */
  async function open(): Promise<{ socket: Socket; received: () => string; ended: Promise<unknown> }> {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    sockets.push(socket);
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    const ended = new Promise((resolve) => socket.once('close', resolve));
    await once(socket, 'connect');
    return { socket, received: () => text, ended };
  }

  async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const deadline = performance.now() + 60_000;
    while (!(await condition())) {
      if (performance.now() > deadline) {
        throw new Error(`never: ${what}\n${server.output().slice(-2000)}`);
      }
      await wait(20);
    }
  }

  async function sendSigterm(): Promise<number> {
    const began = performance.now();
    server.kill('SIGTERM');
    await until(() => server.output().includes('is shutting down'), 'the process starts to shut down');
    return began;
  }

  const head = (method: string, path: string, headers: string[] = []): string =>
    [`${method} ${path} HTTP/1.1`, 'Host: x', `Authorization: ${admin.authorization}`, ...headers, '', ''].join('\r\n');

  test('drops no accepted request, stores its usage counters, and exits with 0', async () => {
    const path = `/v1/applications/${applicationId}/campaigns`;
    const created: number[] = [];
    const agents = Array.from({ length: 24 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const faults: string[] = [];
    let allowed = 0;
    let closingResponses = 0;
    let refusedConnections = 0;
    const read = { method: 'GET', path, headers: { authorization: `ManagementKey-v1 ${key.key}` }, status: 200 };
    const write = {
      method: 'POST',
      path: '/v1/api_keys',
      headers: { authorization: admin.authorization!, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'Made under load', expiryDate: '2099-01-01', endpoints: [CAMPAIGNS] }),
      status: 201,
    };
    const call = (agent: Agent, { body, status, ...options }: typeof read & { body?: string }) =>
      new Promise<'go on' | 'stop'>((resolve) => {
        const request = httpRequest(server.url + options.path, { ...options, agent });
        request.on('error', (error: NodeJS.ErrnoException) => {
          if (error.code === 'ECONNREFUSED') {
            refusedConnections += 1;
          } else {
            faults.push(`${error.code}: ${error.message}`);
          }
          resolve('stop');
        });
        request.on('response', (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('end', () => {
            if (response.statusCode !== status) {
              faults.push(`status ${response.statusCode}`);
            } else if (status === 201) {
              created.push((JSON.parse(text) as MadeKey).id);
            } else {
              allowed += 1;
            }
            closingResponses += response.headers.connection === 'close' ? 1 : 0;
            resolve('go on');
          });
          response.on('aborted', () => faults.push('incomplete response'));
        });
        request.end(body);
      });
    const callers = agents.map(async (agent, number) => {
      while ((await call(agent, number % 4 === 0 ? write : read)) === 'go on');
    });
    await until(() => allowed > 500 && created.length > 20, 'the load is there');
    const began = await sendSigterm();
    expect(await server.exited).toBe(0);
    expect(performance.now() - began).toBeLessThan(CUT_MS);
    await Promise.all(callers);
    agents.forEach((agent) => agent.destroy());
    expect(faults).toEqual([]);
    expect(refusedConnections).toBe(agents.length);
    expect(closingResponses).toBe(agents.length);

    await restart();
    const usage = await admin.get<{ data: { amount: number; outcome: string }[] }>(`/v1/api_keys/${key.id}/usage`);
    const counted = usage.body.data
      .filter((row) => row.outcome === 'allowed')
      .reduce((sum, row) => sum + row.amount, 0);
    expect(counted).toBe(allowed);
    const there = await admin.get<{ data: { id: number }[] }>('/v1/api_keys?name=Made%20under%20load&pageSize=1000');
    expect(there.body.data.map(({ id }) => id).toSorted()).toEqual(created.toSorted());
  });

  test('is not ready immediately, and closes each connection after its last response', async () => {
    const { socket, received, ended } = await open();
    socket.write(head('GET', '/health/ready'));
    await until(() => received().includes('"status":"ok"'), 'it is ready');
    expect(received()).not.toContain('Connection: close');
    await sendSigterm();
    socket.write(head('GET', '/health/ready'));
    await ended;
    const [, last] = received().split('"status":"up"}}}');
    expect(last).toMatch(/^HTTP\/1\.1 503 [^]*Connection: close[^]*"code":"not-ready"/);
    expect(last).toContain('process: It is shutting down.');
    expect(await server.exited).toBe(0);
  });

  test('responds to a request that had only arrived in part', async () => {
    const { socket, received, ended } = await open();
    const body = JSON.stringify({ name: 'Half-way', timezone: 'UTC', currency: 'EUR' });
    const type = 'Content-Type: application/json';
    socket.write(head('POST', '/v1/applications', [type, `Content-Length: ${body.length}`]) + body.slice(0, 10));
    await until(() => socket.bytesWritten > 100, 'it is sent');
    await admin.get('/v1/applications');
    await sendSigterm();
    // Waits until everything else has ended.
    await wait(1500);
    socket.write(body.slice(10));
    await ended;
    expect(received()).toMatch(/^HTTP\/1\.1 201 [^]*Connection: close[^]*"name":"Half-way"/);
    expect(await server.exited).toBe(0);
  });

  test('exits with 0 within ten seconds even if clients keep connections and requests open', async () => {
    const silent = await Promise.all([open(), open(), open()]);
    const idle = await open();
    idle.socket.write(head('GET', '/health/live'));
    const unfinishedHead = await open();
    unfinishedHead.socket.write('GET /health/live HTTP/1.1\r\nHost:');
    const unfinishedBody = await open();
    unfinishedBody.socket.write(
      head('POST', '/v1/applications', ['Content-Type: application/json', 'Content-Length: 9']),
    );
    await until(() => idle.received().includes('"ok"'), 'the idle connection has its response');
    const began = await sendSigterm();
    await Promise.all([...silent, idle].map(({ ended }) => ended));
    expect(performance.now() - began).toBeLessThan(CUT_MS);
    expect(await server.exited).toBe(0);
    expect(performance.now() - began).toBeLessThan(ENDED_MS + SLACK_MS);
    await Promise.all([unfinishedHead.ended, unfinishedBody.ended]);
  });

  describe('while coupons are imported', () => {
    let campaignId: number;

    beforeEach(async () => {
      const campaign = await admin.post<{ id: number }>(`/v1/applications/${applicationId}/campaigns`, {
        name: 'Spring',
      });
      campaignId = campaign.body.id;
    });

    const path = (): string => `/v1/applications/${applicationId}/campaigns/${campaignId}`;

    async function countCoupons(): Promise<number> {
      const coupons = await admin.get<{ data: unknown[] }>(`${path()}/coupons/no_total?pageSize=10`);
      return coupons.body.data.length;
    }

    test('cuts off an upload with a 503', async () => {
      const { socket, received, ended } = await open();
      const type = 'Content-Type: multipart/form-data; boundary=b';
      socket.write(head('POST', `${path()}/import_coupons`, [type, 'Content-Length: 100000']));
      socket.write(
        '--b\r\nContent-Disposition: form-data; name="upFile"; filename="x.csv"\r\n\r\nvalue\r\nSPRING-1\r\n',
      );
      await admin.get('/v1/applications');
      const began = await sendSigterm();
      await ended;
      expect(received()).toMatch(/^HTTP\/1\.1 503 [^]*"code":"shutting-down"/);
      expect(await server.exited).toBe(0);
      expect(performance.now() - began).toBeLessThan(CUT_MS);
      await restart();
      expect(await countCoupons()).toBe(0);
    });

    test('rolls back an import that is not written after eight seconds', async () => {
      const form = new FormData();
      form.append(
        'upFile',
        new Blob([`value\n${Array.from({ length: MANY }, (_, row) => `SUMMER-${row}\n`).join('')}`]),
      );
      const release = await holdUp(database, campaignId);
      const answer = admin.post<{ code: string }>(`${path()}/import_coupons`, form).then(
        ({ status, body }) => `${status} ${body.code}`,
        () => 'cut off',
      );
      await until(isWriting, 'the writing begins');
      const began = await sendSigterm();
      await wait(7600 - (performance.now() - began));
      await release();
      expect(await server.exited).toBe(0);
      const elapsedMs = performance.now() - began;
      expect(elapsedMs).toBeGreaterThan(7900);
      expect(elapsedMs).toBeLessThan(ENDED_MS + SLACK_MS);
      // The rollback takes time, especially on MySQL. If it is not complete when the connection is cut, the database
      // completes it.
      expect(['503 shutting-down', ...(elapsedMs > CUT_MS ? ['cut off'] : [])]).toContain(await answer);
      await restart();
      expect(await countCoupons()).toBe(0);
    }, 120_000);

    async function isWriting(): Promise<boolean> {
      const metrics = await fetch(`${server.url}/metrics`);
      return (await metrics.text()).includes('latchkey_imports_in_progress{phase="writing"} 1');
    }
  });

  test('exits immediately at a second signal', async () => {
    const { socket } = await open();
    socket.write(head('POST', '/v1/applications', ['Content-Type: application/json', 'Content-Length: 9']));
    await admin.get('/v1/applications');
    const began = await sendSigterm();
    server.kill('SIGINT');
    expect(await server.exited).toBe(1);
    expect(performance.now() - began).toBeLessThan(CUT_MS);
  });
});
