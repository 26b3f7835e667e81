import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { ADMIN_PASSWORD, createDatabase, type TestDatabase } from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';
import { DocumentedAnswers, type FuzzAnswer } from './fuzz-answers.js';
import { FuzzWorld } from './fuzz-world.js';
import { Chance, RAW_SEGMENTS, TEXTS } from './hostile.js';
import { type Document, type FuzzRequest, type Operation, OpenApiRequests } from './openapi-requests.js';

/** How many requests each operation gets. */
const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 2000);
/** Repeats a run, as far as responses arrive in the same order. */
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000_007);
const WORKERS = 8;
const RESPONSE_WAIT_MS = 20_000;
const RESTORE_AFTER = 150;
const FAULTS_MAX = 15;
/** From this many requests on, every operation must succeed at least once. A fuzz without successes proves nothing. */
const CERTAIN_TO_SUCCEED = 150;

describe('a generated request', () => {
  const chance = new Chance(SEED);
  const agent = new Agent({ keepAlive: true, maxSockets: WORKERS });
  let database: TestDatabase;
  let server: ServerProcess;
  let world: FuzzWorld;
  let document: Document;
  let operations: { method: string; template: string; operation: Operation }[];

  beforeAll(async () => {
    database = await createDatabase();
    // A slow response of a busy machine is no fault. Callers use many addresses, because guesses at passwords would
    // otherwise soon be throttled.
    const settings = { DATABASE_URL: database.url, DECISION_WAIT_MS: '15000', TRUST_PROXY: 'loopback' };
    server = await startServer(settings);
    document = (await (await fetch(`${server.url}/openapi.json`)).json()) as Document;
    operations = Object.entries(document.paths).flatMap(([template, item]) =>
      Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), template, operation })),
    );
    world = await FuzzWorld.create(server.url, chance);
  }, 120_000);

  afterAll(async () => {
    agent.destroy();
    await server?.stop();
    await database?.drop();
  });

  const send = (request: FuzzRequest): Promise<FuzzAnswer> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(server.url);
      const length = request.body === undefined ? [] : ['Content-Length', String(Buffer.byteLength(request.body))];
      const headers = [...request.headers.flat(), ...length, 'Host', `${hostname}:${port}`];
      const outgoing = httpRequest({ agent, hostname, port, method: request.method, path: request.path, headers });
      const timer = setTimeout(() => outgoing.destroy(new Error('no answer in time')), RESPONSE_WAIT_MS);
      outgoing.on('response', (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('error', reject);
        response.on('end', () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode!, headers: response.headers, body });
        });
      });
      outgoing.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      outgoing.end(request.body);
    });

  const authorize = (request: FuzzRequest): string => {
    const caller = chance.in(0.2) ? world.caller('admin') : chance.pick(world.callers);
    const { authorization } = caller;
    request.headers.push(['X-Forwarded-For', `203.0.${chance.below(256)}.${chance.below(256)}`]);
    if (authorization !== undefined) {
      request.headers.push(['Authorization', authorization]);
    }
    if (chance.in(0.03)) {
      const values = ['', 'Bearer', 'Basic YWRtaW46YWRtaW4=', `ManagementKey-v1 ${'x'.repeat(53)}`, 'a b c', '\u00ff'];
      request.headers.push(['Authorization', chance.pick(values)]);
      return `${caller.name}, and another`;
    }
    return caller.name;
  };

  test(
    `gets a response that the document allows, never a 500 or a secret (seed ${SEED})`,
    async () => {
      const requests = new OpenApiRequests(document, chance, world);
      const answers = new DocumentedAnswers(document);
      const faults: string[] = [];
      const succeeded = new Set<string>();
      const total = operations.length * REQUESTS;
      let sent = 0;
      let restoring: Promise<void> | undefined;

      const one = async (): Promise<void> => {
        const { method, template, operation } = operations[sent % operations.length]!;
        sent += 1;
        world.choose(operation.operationId);
        const request = requests.make(method, template, operation);
        if (method === 'GET' && chance.in(0.03)) {
          request.method = 'HEAD';
        }
        const caller = authorize(request);
        let answer: FuzzAnswer | undefined;
        let fault: string | undefined;
        try {
          answer = await send(request);
          fault = answers.faultOf(template, method, operation, request, answer, world.secrets);
        } catch (error) {
          fault = String(error);
        }
        if (answer && answer.status < 300) {
          succeeded.add(operation.operationId);
        }
        if (fault !== undefined) {
          faults.push(describeFault(operation, request, caller, answer, fault));
        }
      };
      const work = async (): Promise<void> => {
        while (sent < total && faults.length < FAULTS_MAX) {
          await restoring;
          if (sent > 0 && sent % RESTORE_AFTER === 0 && !restoring) {
            restoring = world.restore().finally(() => (restoring = undefined));
            await restoring;
          }
          await one();
        }
      };
      await Promise.all(Array.from({ length: WORKERS }, work));

      expect(faults).toEqual([]);
      expect(sent).toBeGreaterThanOrEqual(total);
      if (REQUESTS >= CERTAIN_TO_SUCCEED) {
        const all = operations.map(({ operation }) => operation.operationId);
        expect(all.filter((id) => !succeeded.has(id))).toEqual([]);
      }
      expect(await world.isGoverned()).toBe(true);
      const output = server.output();
      expect(output).not.toContain(ADMIN_PASSWORD);
      expect(output).not.toMatch(/lk[ms]_[0-9A-Za-z]{49}/);
    },
    runWaitMs(),
  );

  test('of malformed HTTP never gets a 5xx, and the process survives', async () => {
    const { hostname, port } = new URL(server.url);
    const rounds = Math.max(200, Math.min(REQUESTS, 3000));
    const faults: string[] = [];
    for (let round = 0; round < rounds && faults.length < FAULTS_MAX; round += 1) {
      const bytes = spoiltHttp(chance);
      const answer = await new Promise<string>((resolve, reject) => {
        let received = '';
        const socket = connect(Number(port), hostname);
        socket.setEncoding('latin1');
        socket.setTimeout(RESPONSE_WAIT_MS, () => socket.destroy(new Error('the connection hangs')));
        socket.on('data', (chunk: string) => (received += chunk));
        socket.on('error', (error: NodeJS.ErrnoException) =>
          error.code === 'ECONNRESET' ? resolve(received) : reject(error),
        );
        socket.on('close', () => resolve(received));
        socket.end(bytes);
      });
      if (/^HTTP\/1\.1 5|x-injected: /im.test(answer)) {
        faults.push(`${JSON.stringify(bytes.toString('latin1').slice(0, 500))} -> ${answer.slice(0, 300)}`);
      }
    }
    expect(faults).toEqual([]);
    expect(await world.isGoverned()).toBe(true);
  }, 300_000);
});

/** Returns how long a run may take. A busy machine handles less than a hundred requests per second. */
function runWaitMs(): number {
  return 120_000 + REQUESTS * 1500;
}

function describeFault(
  { operationId }: Operation,
  { method, path, headers, body }: FuzzRequest,
  caller: string,
  answer: FuzzAnswer | undefined,
  fault: string,
): string {
  const shown = headers.filter(([name]) => name !== 'Authorization').map(([name, value]) => `${name}: ${value}`);
  const sent = `${method} ${path.slice(0, 300)} [${shown.join(' | ').slice(0, 300)}] ${String(body).slice(0, 300)}`;
  return `${operationId} as ${caller}: ${fault}\n  ${sent}\n  -> ${answer?.status} ${answer?.body.slice(0, 400)}`;
}

/** Returns a request with some of its bytes replaced, left out or repeated. */
function spoiltHttp(chance: Chance): Buffer {
  const target = chance.pick(['/v1/users', '/v1/sessions', '/health/live', '/v1/forward_auth/original/management']);
  const body = '{"email":"a@example.com","password":"not the password"}';
  const length = chance.pick([String(body.length), '0', '-1', '1e3', '99999999999999999999', '5, 5', ' ', '+5']);
  const lines = [
    `${chance.pick(['GET', 'POST', 'PUT', 'get', 'CONNECT', 'TRACE', 'PRI', 'X'])} ${target}${chance.pick(['', '?', ' ', chance.pick(RAW_SEGMENTS)])} HTTP/${chance.pick(['1.1', '1.0', '2.0', '0.9', '1.1x'])}`,
    ...(chance.in(0.8) ? ['Host: x'] : []),
    ...(chance.in(0.1) ? ['Host: y'] : []),
    'Content-Type: application/json',
    ...(chance.in(0.7) ? [`Content-Length: ${length}`] : []),
    ...(chance.in(0.3)
      ? [`Transfer-Encoding: ${chance.pick(['chunked', 'gzip', 'chunked, chunked', ' chunked', 'x'])}`]
      : []),
    ...(chance.in(0.3) ? [`X-A: ${chance.pick(TEXTS).slice(0, 500)}`] : []),
    ...(chance.in(0.1) ? [' folded: yes'] : []),
    ...(chance.in(0.1)
      ? [`Connection: ${chance.pick(['upgrade', 'close, keep-alive', 'x'])}`, 'Upgrade: websocket']
      : []),
    ...(chance.in(0.1) ? ['Expect: 100-continue'] : []),
  ];
  const end = chance.in(0.9) ? '\r\n' : chance.pick(['\n', '\r', '\n\r']);
  const bytes = Buffer.from(`${lines.join(end)}${end}${end}${body}`, 'latin1');
  for (let turn = chance.below(3); turn > 0; turn -= 1) {
    bytes[chance.below(bytes.length)] = chance.below(256);
  }
  return chance.in(0.2) ? bytes.subarray(0, chance.below(bytes.length)) : bytes;
}
