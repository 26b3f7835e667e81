import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import { createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { type RawAnswer, sendRaw } from '../support/raw-http.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Below node_modules, so that the example finds Nest as if it were installed. */
const BUILT = `${ROOT}node_modules/.cache/latchkey-nest-service-${process.pid}`;

/** The connection from the example to Latchkey. It counts connections, and can be cut or blocked. */
class Wire {
  connections = 0;
  private state: 'open' | 'blocked' | 'cut' = 'open';
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  constructor(private readonly target: number) {
    this.server = createServer((near) => {
      this.connections += 1;
      if (this.state === 'cut') {
        near.destroy();
        return;
      }
      const far = connect(this.target, '127.0.0.1');
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(socket);
        socket.on('data', (chunk) => {
          if (this.state === 'open') {
            other.write(chunk);
          }
        });
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          this.sockets.delete(socket);
          other.destroy();
        });
      }
    });
  }

  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  set(state: 'open' | 'blocked' | 'cut'): void {
    this.state = state;
    this.sockets.forEach((socket) => socket.destroy());
  }

  close(): void {
    this.set('cut');
    this.server.close();
  }
}

let latchkey: Latchkey;
let ownKey: MadeKey;
let key: MadeKey;
let limited: MadeKey;
let one: number;
let two: number;

beforeAll(async () => {
  latchkey = await startLatchkey();
  one = await createApplication(latchkey.admin);
  two = await createApplication(latchkey.admin);
  const openapi = readFileSync(`${ROOT}examples/nest-service/openapi.yaml`, 'utf8');
  expect((await latchkey.admin.put('/v1/services/invoices', { name: 'Invoices', openapi })).status).toBe(201);
  ownKey = await createKey(latchkey.admin, { endpoints: [{ method: 'POST', path: '/v1/verifications' }] });
  const list = { service: 'invoices', method: 'GET', path: '/applications/{applicationId}/invoices' };
  key = await createKey(latchkey.admin, {
    endpoints: [{ service: 'invoices', method: 'GET', path: '/invoices/{invoiceId}' }, list],
  });
  limited = await createKey(latchkey.admin, { endpoints: [list], allowedApplicationIds: [one] });
});
afterAll(async () => {
  await latchkey.close();
  rmSync(BUILT, { recursive: true, force: true });
});

function buildNestService(): string[] {
  mkdirSync(BUILT, { recursive: true });
  cpSync(`${ROOT}examples/nest-service`, BUILT, { recursive: true });
  execFileSync(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, '-p', BUILT]);
  return [`${BUILT}/dist/main.js`];
}

/** A running example. */
interface Example {
  url: string;
  process: ChildProcess;
  output: () => string;
}

async function start(parameters: string[], environment: Record<string, string>): Promise<Example> {
  const child = spawn(process.execPath, parameters, {
    env: { PATH: process.env.PATH, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = /listens on (http:\/\/\S+)/.exec(output)?.[1];
      if (found) {
        resolve(found.replace('[::1]', '127.0.0.1'));
      }
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('exit', (code) => reject(new Error(`the example ended with ${code}:\n${output}`)));
  });
  return { url, process: child, output: () => output };
}

describe.each([
  ['Nest', buildNestService],
  ['plain Node', () => [`${ROOT}examples/plain-service/server.mjs`]],
])('the example service in %s', (_name, build) => {
  let wire: Wire;
  let example: Example;

  beforeAll(async () => {
    wire = new Wire(Number(new URL(latchkey.url).port));
    const url = await wire.listen();
    example = await start(build(), { LATCHKEY_URL: url, LATCHKEY_KEY: ownKey.key });
  }, 120_000);
  afterAll(() => {
    example.process.kill();
    wire.close();
  });

  const send = (
    method: string,
    path: string,
    key?: { key: string },
    more: [string, string][] = [],
  ): Promise<RawAnswer> =>
    sendRaw(example.url, method, path, [
      ...(key ? [['Authorization', `ManagementKey-v1 ${key.key}`] as const] : []),
      ...more,
    ]);
  const statuses = async (...answers: Promise<RawAnswer>[]): Promise<number[]> =>
    (await Promise.all(answers)).map(({ status }) => status);

  test('serves the endpoints that a key opens, and identifies the key', async () => {
    const answer = await send('GET', '/invoices/7?page=1', key);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({
      invoiceId: '7',
      caller: { keyId: key.id, keyName: key.name, createdBy: key.createdBy, applicationId: null },
    });
    const listed = await send('GET', `/applications/${one}/invoices`, limited);
    expect(JSON.parse(listed.body)).toMatchObject({ invoices: [], caller: { keyId: limited.id, applicationId: one } });
    expect(await statuses(send('HEAD', '/invoices/7', key))).toEqual([200]);
  });

  test('refuses all other requests', async () => {
    const deleted = await createKey(latchkey.admin, {
      endpoints: [{ service: 'invoices', method: 'GET', path: '/invoices/{invoiceId}' }],
    });
    expect(await statuses(send('GET', '/invoices/7', deleted))).toEqual([200]);
    await latchkey.admin.delete(`/v1/api_keys/${deleted.id}`);
    expect(
      await statuses(
        send('GET', '/invoices/7'),
        send('GET', '/invoices/7', { key: 'nonsense' }),
        send('GET', '/invoices/7', key, [['Authorization', `ManagementKey-v1 ${key.key}`]]),
        send('GET', '/invoices/7', deleted),
        send('POST', `/applications/${one}/invoices`, key),
        send('GET', `/applications/${two}/invoices`, limited),
        send('GET', '/INVOICES/7', key),
        send('GET', '/invoices/%37', key),
        send('GET', '/invoices/7?_method=DELETE', key),
      ),
    ).toEqual([401, 401, 401, 401, 403, 403, 403, 403, 403]);
  });

  test('reuses its connections to Latchkey', async () => {
    await send('GET', '/invoices/7', key);
    const before = wire.connections;
    for (let count = 0; count < 20; count += 1) {
      expect(await statuses(send('GET', '/invoices/7', key))).toEqual([200]);
    }
    expect(wire.connections - before).toBeLessThanOrEqual(1);
  });

  test('refuses every request while Latchkey does not respond, and recovers when it does', async () => {
    for (const fault of ['blocked', 'cut'] as const) {
      wire.set(fault);
      const started = performance.now();
      expect(await statuses(send('GET', '/invoices/7', key), send('GET', '/invoices/7', key))).toEqual([503, 503]);
      expect(performance.now() - started).toBeLessThan(5000);
      wire.set('open');
      expect(await statuses(send('GET', '/invoices/7', key))).toEqual([200]);
    }
  });

  test('refuses every request if Latchkey refuses its own key', async () => {
    const other = await start(build(), { LATCHKEY_URL: latchkey.url, LATCHKEY_KEY: key.key });
    const answer = await sendRaw(other.url, 'GET', '/invoices/7', [['Authorization', `ManagementKey-v1 ${key.key}`]]);
    other.process.kill();
    expect(answer.status).toBe(503);
    expect(other.output()).not.toContain(key.key);
  }, 120_000);

  test('writes no secret to its output', () => {
    expect(example.output()).not.toMatch(/lkm_[0-9A-Za-z]{20}/);
  });
});
