import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { readConfig } from '../../src/config/config.js';
import { Client } from '../support/client.js';
import { readDockerfile } from './container-image.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, createDatabase, type TestDatabase } from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';
import { describeProxy, freePort, type RunningProxy, startProxy } from '../verification/proxies.js';

// Starts four servers and a proxy.
jest.setTimeout(180_000);

const file = (name: string): string => fileURLToPath(new URL(`../../docker/${name}`, import.meta.url));
const COMPOSE = readFileSync(file('compose.yaml'), 'utf8');
const CADDYFILE = readFileSync(file('Caddyfile'), 'utf8');
const IMAGE = readDockerfile(readFileSync(file('Dockerfile'), 'utf8')).at(-1)!;

/** The schema of the Compose specification, from a linter's package. */
const SCHEMA = JSON.parse(
  readFileSync(new URL('../../node_modules/dclint/schemas/compose.schema.json', import.meta.url), 'utf8'),
) as object;

interface Service {
  image: string;
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
}
const GIVEN = { MYSQL_PASSWORD: 'l3tters', ADMIN_EMAIL: 'ada@example.com', ADMIN_PASSWORD: 'correct horse battery' };
const REPLICAS = ['latchkey-1', 'latchkey-2', 'latchkey-3'];

/** Inserts variables into a text as Compose does. Throws if a required variable is missing. */
function interpolate(text: string, variables: Record<string, string>): string {
  return text.replaceAll(/\$(?:\{(\w+)(?::\?([^}]*))?\}|\$)/g, (found, name?: string, demand?: string) => {
    if (name === undefined) {
      return '$';
    }
    const value = variables[name];
    if (!value) {
      throw new Error(demand ?? `no variable ${name} for ${found}`);
    }
    return value;
  });
}

/** Returns the services, with their anchors resolved. */
function readServices(variables: Record<string, string> = GIVEN): Record<string, Service> {
  const { services } = parse(interpolate(COMPOSE, variables), { merge: true }) as { services: Record<string, Service> };
  return services;
}

describe('compose.yaml', () => {
  const services = readServices();

  test('is what the Compose specification allows', () => {
    // Its formats are Docker's own, such as those of durations.
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
    // ajv does not know the schema by the address of its dialect.
    const isAllowed = ajv.compile({ ...SCHEMA, $schema: undefined });
    isAllowed(parse(interpolate(COMPOSE, GIVEN), { merge: true }));
    expect(isAllowed.errors).toBeNull();
    // Makes sure that the schema detects errors.
    expect(isAllowed({ services: { latchkey: { imag: 'latchkey' } } })).toBe(false);
  });

  test.each(Object.keys(GIVEN))('asks for %s', (name) => {
    expect(() => readServices({ ...GIVEN, [name]: '' })).toThrow(`set ${name}`);
  });

  test('gives three replicas the same environment, with which they start', () => {
    expect(Object.keys(services).sort()).toEqual([...REPLICAS, 'mysql', 'proxy']);
    const [first, ...others] = REPLICAS.map((name) => services[name]!);
    others.forEach((other) => expect(other).toEqual(first));
    const config = readConfig({ ...first!.environment });
    const url = new URL(config.DATABASE_URL);
    const { MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD } = services.mysql!.environment!;
    expect([url.hostname, url.pathname.slice(1), url.username, url.password]).toEqual([
      'mysql',
      MYSQL_DATABASE,
      MYSQL_USER,
      MYSQL_PASSWORD,
    ]);
    expect(services.mysql!.image).toMatch(/^mysql:9(\.|$)/);
  });

  test('makes replicas reachable only through the proxy that TRUST_PROXY names', () => {
    const published = Object.entries(services).filter(([, { ports }]) => ports !== undefined);
    expect(published.map(([name, { ports }]) => [name, ports])).toEqual([['proxy', ['127.0.0.1:8080:8080']]]);
    expect(REPLICAS.map((name) => services[name]!.environment!.TRUST_PROXY)).toEqual(['1', '1', '1']);
  });

  test('waits for nothing that cannot say that it is healthy', () => {
    expect(IMAGE.steps.map(({ keyword }) => keyword)).toContain('HEALTHCHECK');
    const isChecked = (name: string): boolean => REPLICAS.includes(name) || services[name]!.healthcheck !== undefined;
    expect(Object.keys(services).filter((name) => !isChecked(name))).toEqual([]);
    const conditions = Object.values(services).flatMap(({ depends_on: others = {} }) => Object.entries(others));
    expect(conditions).toHaveLength(6);
    for (const [name, { condition }] of conditions) {
      expect([name, condition, isChecked(name)]).toEqual([name, 'service_healthy', true]);
    }
  });

  test('and the Caddyfile name the same replicas and ports', () => {
    const port = /\bPORT=(\d+)/.exec(IMAGE.steps.find(({ keyword }) => keyword === 'ENV')!.text)![1];
    expect(/\{\$REPLICAS:([^}]*)\}/.exec(CADDYFILE)![1]!.split(' ')).toEqual(REPLICAS.map((name) => `${name}:${port}`));
    expect(CADDYFILE).toContain('{$LISTEN::8080}');
    // The path where the image of Caddy reads its configuration.
    expect(services.proxy!.volumes).toEqual(['./Caddyfile:/etc/caddy/Caddyfile:ro']);
  });
});

describeProxy('caddy', 'the Caddyfile', () => {
  test('is valid', async () => {
    const validated = promisify(execFile)('caddy', [
      'validate',
      '--adapter',
      'caddyfile',
      '--config',
      file('Caddyfile'),
    ]);
    expect((await validated).stdout).toContain('Valid configuration');
  });

  describe('before three replicas', () => {
    let database: TestDatabase;
    let ports: number[];
    let replicas: ServerProcess[] = [];
    let proxy: RunningProxy;
    let url: string;
    let admin: Client;

    const startReplica = (port: number): Promise<ServerProcess> =>
      startServer({ DATABASE_URL: database.url, PORT: String(port), TRUST_PROXY: '1' });

    beforeAll(async () => {
      database = await createDatabase();
      ports = [await freePort(), await freePort(), await freePort()];
      replicas = await Promise.all(ports.map(startReplica));
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      proxy = await startProxy('caddy', CADDYFILE, port, {
        LISTEN: `:${port}`,
        REPLICAS: ports.map((one) => `127.0.0.1:${one}`).join(' '),
      });
      const session = { email: ADMIN_EMAIL, password: ADMIN_PASSWORD };
      const { body } = await new Client(url, undefined, new Set()).post<{ token: string }>('/v1/sessions', session);
      admin = new Client(url, `Bearer ${body.token}`, new Set());
    });
    afterAll(async () => {
      await proxy.stop();
      await Promise.all(replicas.map((replica) => replica.stop()));
      await database.drop();
    });

    const answered = (replica: ServerProcess): number => replica.output().split('"msg":"answered"').length - 1;

    // Caddy up to 2.11.1 cannot retry a request with a body. It responds with 502, or with 503 if it blames the next
    // replica.
    test('no request is lost when one of them is stopped, or it was never carried out; it gets its share when it is back', async () => {
      const faults: string[] = [];
      const created: string[] = [];
      let [good, ended] = [0, false];
      const read = async (): Promise<void> => {
        const { status, body } = await admin.get('/v1/users');
        if (status !== 200) {
          faults.push(`GET: ${status} ${JSON.stringify(body)}`);
        }
        good += 1;
      };
      const create = async (name: string): Promise<void> => {
        const { status, body } = await admin.post('/v1/applications', { name, timezone: 'UTC', currency: 'EUR' });
        if (status === 201) {
          created.push(name);
        } else if (body !== '' || ![502, 503].includes(status)) {
          faults.push(`POST: ${status} ${JSON.stringify(body)}`);
        }
      };
      const callers = Array.from({ length: 8 }, async (_, lane) => {
        for (let call = 0; !ended; call += 1) {
          try {
            await read();
            await create(`Application ${lane}-${call}`);
          } catch (error) {
            faults.push(String((error as Error).cause ?? error));
          }
        }
      });
      const more = async (): Promise<void> => {
        const until = good + 200;
        while (good < until && faults.length === 0) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      try {
        await more();
        expect(await replicas[1]!.stop()).toBe(0);
        await more();
        expect(replicas.every((replica) => answered(replica) > 20)).toBe(true);
        replicas[1] = await startReplica(ports[1]!);
        while (answered(replicas[1]) < 20 && faults.length === 0) {
          await more();
        }
      } finally {
        ended = true;
        await Promise.all(callers);
      }
      expect(faults).toEqual([]);
      const made: string[] = [];
      for (let skip = 0; skip === made.length; skip += 1000) {
        const page = await admin.get<{ data: { name: string }[] }>(`/v1/applications?pageSize=1000&skip=${skip}`);
        made.push(...page.body.data.map(({ name }) => name));
      }
      expect(made.sort()).toEqual(created.sort());
    });

    test('the metrics are not for those outside, and all else is', async () => {
      expect((await admin.get('/metrics')).status).toBe(404);
      expect((await admin.get('/docs')).status).toBe(200);
      expect((await fetch(`${replicas[0]!.url}/metrics`)).status).toBe(200);
    });

    test('a client cannot say that it comes from elsewhere, to guess on', async () => {
      const guess = (attempt: number): Promise<{ status: number }> =>
        new Client(url, undefined, new Set()).post(
          '/v1/sessions',
          { email: ADMIN_EMAIL, password: `a wrong password ${attempt}` },
          { 'X-Forwarded-For': `203.0.113.${attempt}` },
        );
      const statuses: number[] = [];
      for (let attempt = 1; attempt <= 6; attempt += 1) {
        statuses.push((await guess(attempt)).status);
      }
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    });
  });
});
