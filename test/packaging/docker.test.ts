import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import { validate } from 'dockerfile-utils';
import { parse } from 'yaml';
import { Client } from '../support/client.js';
import { ImageBuild, readDockerfile, type Stage, type Step } from './container-image.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD } from '../support/harness.js';
import { type Child, type ServerProcess, whenListening } from '../support/process.js';
import { freePort } from '../verification/proxies.js';

// It compiles, and copies all packages.
jest.setTimeout(300_000);

/*
 * This test needs no Docker engine: it runs the steps of the Dockerfile in folders instead of layers, without the base
 * image.
 */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCKERFILE = readFileSync(join(ROOT, 'docker/Dockerfile'), 'utf8');
const COMPOSE = parse(readFileSync(join(ROOT, 'docker/compose.yaml'), 'utf8')) as {
  services: Record<string, { stop_grace_period?: string }>;
};
/** The user `node` of the base image. A test process that may not change its user keeps its own. */
const NODE_USER = 1000;
const IS_ROOT = process.getuid?.() === 0;
const AS_NODE_USER = IS_ROOT ? { uid: NODE_USER, gid: NODE_USER } : {};

const stages = readDockerfile(DOCKERFILE);
const build = stages[0]!;
const final = stages.at(-1)!;
const stepsOf = ({ steps }: Stage, keyword: string): Step[] => steps.filter((step) => step.keyword === keyword);
const lastOf = (stage: Stage, keyword: string): Step => stepsOf(stage, keyword).at(-1)!;

// Always on SQLite, whatever the other tests use.
(process.env.TEST_MYSQL_URL ? describe.skip : describe)('the Dockerfile', () => {
  test('has no fault that a linter finds', () => {
    expect(validate(DOCKERFILE).map(({ message, range }) => `${range.start.line + 1}: ${message}`)).toEqual([]);
  });

  test('builds with the commands of README.md and .ci/run, on a version of Node that is supported', () => {
    const commands = stepsOf(build, 'RUN').map(({ text }) => text);
    expect(commands.map((command) => command.replace(/ --no-\w+/g, ''))).toEqual([
      'npm ci',
      'npm run build',
      'npm prune --omit=dev',
    ]);
    expect(readFileSync(join(ROOT, '.ci/run'), 'utf8')).toContain(`\n${commands[0]}\n`);
    expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain(commands[1]);
    expect(stages.map(({ image }) => image)).toEqual(['node:26-slim', 'node:26-slim']);
  });

  test('makes an image of what is needed to run and nothing else, which is run by somebody without rights', () => {
    const copies = stepsOf(final, 'COPY').map(({ flags, text }) => `${flags.from ?? 'context'}: ${text}`);
    expect(copies).toEqual([
      'build: /latchkey/node_modules node_modules',
      'build: /latchkey/dist dist',
      'context: package.json LICENSE ./',
    ]);
    expect(lastOf(final, 'USER').words).toEqual(['node']);
    expect(stepsOf(final, 'RUN').map(({ text }) => text)).toEqual(['install -d -o node -g node -m 0700 /data']);
    expect(lastOf(final, 'VOLUME').words).toEqual(['/data']);
    // Both must be lists: a shell would not pass SIGTERM on.
    expect(DOCKERFILE).toMatch(/^ENTRYPOINT \[/m);
    expect(DOCKERFILE).toMatch(/^ {2}CMD \[/m);
    // The image must contain no password.
    expect(lastOf(final, 'ENV').text).not.toMatch(/PASSWORD|SECRET|TOKEN/i);
  });

  describe('done step by step', () => {
    let folder: string;
    let at: (path: string) => string;
    let context: string;
    const children: Child[] = [];

    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'latchkey-image-'));
      chmodSync(folder, 0o755);
      context = ImageBuild.sendContext(folder);
      const image = new ImageBuild(folder, context);
      image.build(build);
      at = image.build(final);
      mkdirSync(at('/data'), { mode: 0o700 });
      if (IS_ROOT) {
        chownSync(at('/data'), NODE_USER, NODE_USER);
      }
    });
    afterAll(async () => {
      for (const child of children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    });

    /** Returns the environment of the image, with a free port instead of its own. */
    const environment = async (): Promise<Record<string, string>> => {
      const set = lastOf(final, 'ENV').words.map((word) => {
        const [, name, value] = /^(\w+)=(.*)$/.exec(word)!;
        return [name!, value!.replace('/data', at('/data'))];
      });
      const given = { PATH: process.env.PATH ?? '', ADMIN_EMAIL, ADMIN_PASSWORD, DECISION_WAIT_MS: '10000' };
      return { ...(Object.fromEntries(set) as Record<string, string>), ...given, PORT: String(await freePort()) };
    };
    const inside = (env: Record<string, string>) => ({ cwd: at('/latchkey'), env, ...AS_NODE_USER });

    async function start(env: Record<string, string>): Promise<ServerProcess> {
      const [command, ...parameters] = lastOf(final, 'ENTRYPOINT').words;
      expect(command).toBe('node');
      const child = spawn(process.execPath, parameters, { ...inside(env), stdio: ['ignore', 'pipe', 'pipe'] });
      children.push(child);
      return whenListening(child);
    }

    /** Runs the health check as Docker would, and resolves with its exit code. */
    function checkHealth(env: Record<string, string>): Promise<number> {
      const [, ...parameters] = healthCommand();
      return new Promise((resolve) => {
        const child = execFile(process.execPath, parameters, inside(env), () => resolve(child.exitCode ?? -1));
      });
    }
    const healthCommand = (): string[] => {
      const command = JSON.parse(/^ {2}CMD (\[.*\])$/m.exec(DOCKERFILE)![1]!) as string[];
      expect(command[0]).toBe('node');
      return command;
    };
    const filesOf = (path: string): string[] => readdirSync(at(path), { recursive: true }) as string[];

    test('sends no test, no secret and nothing that was built before into the build', () => {
      expect(readdirSync(context).sort()).toEqual([
        '.npmrc',
        'LICENSE',
        'nest-cli.json',
        'package-lock.json',
        'package.json',
        'packages',
        'src',
        'tsconfig.build.json',
        'tsconfig.json',
      ]);
      const files = readdirSync(context, { recursive: true }) as string[];
      expect(files.filter((file) => /\.test\.ts$|\.env|\.sqlite/.test(file))).toEqual([]);
    });

    test('leaves in the image what runs, and no tool that only built it', () => {
      expect(readdirSync(at('/latchkey')).sort()).toEqual(['LICENSE', 'dist', 'node_modules', 'package.json']);
      const manifest = JSON.parse(readFileSync(at('/latchkey/package.json'), 'utf8')) as {
        dependencies: object;
        devDependencies: object;
      };
      const isThere = (name: string): boolean => existsSync(at(`/latchkey/node_modules/${name}/package.json`));
      expect(Object.keys(manifest.dependencies).filter((name) => !isThere(name))).toEqual([]);
      expect(['jest', 'eslint', 'prettier', 'ts-jest', '@nestjs/cli', 'playwright-core'].filter(isThere)).toEqual([]);
      // The telemetry of swagger-ui-dist, which `npm ci` would run.
      expect(filesOf('/latchkey/node_modules').filter((file) => file.endsWith('@scarf/scarf/report.js'))).toEqual([]);
    });

    test('gets healthy, serves, writes nothing but its data, and ends in order when it is asked to', async () => {
      const env = await environment();
      const before = filesOf('/latchkey');
      expect(await checkHealth(env)).toBe(1);
      const server = await start(env);
      const url = `http://127.0.0.1:${env.PORT}`;
      expect(await checkHealth(env)).toBe(0);
      const session = { email: ADMIN_EMAIL, password: ADMIN_PASSWORD };
      const signedIn = await new Client(url, undefined, new Set()).post<{ token: string }>('/v1/sessions', session);
      expect(signedIn.status).toBe(201);

      // The process waits for the rest of a request while it shuts down, and is no longer healthy.
      const socket = connect(Number(env.PORT), '127.0.0.1');
      let received = '';
      socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
      const body = JSON.stringify({ name: 'Shop', timezone: 'UTC', currency: 'EUR' });
      const head = ['POST /v1/applications HTTP/1.1', 'Host: x', `Authorization: Bearer ${signedIn.body.token}`];
      const described = ['Content-Type: application/json', `Content-Length: ${body.length}`, 'Expect: 100-continue'];
      socket.write([...head, ...described, '', ''].join('\r\n'));
      while (!received.includes('100 Continue')) {
        await once(socket, 'data');
      }
      const began = performance.now();
      server.kill('SIGTERM');
      while ((await checkHealth(env)) === 0);
      expect(server.output()).not.toContain('has shut down');
      const closed = once(socket, 'close');
      socket.write(body);
      await closed;
      expect(received).toContain('HTTP/1.1 201');
      expect(await server.exited).toBe(0);
      expect(performance.now() - began).toBeLessThan(graceMs());
      expect(await checkHealth(env)).toBe(1);

      expect(filesOf('/latchkey')).toEqual(before);
      expect(filesOf('/data')).toContain('latchkey.sqlite');
    });

    /** How long Docker waits before it kills a replica, in milliseconds. */
    const graceMs = (): number => {
      const periods = Object.values(COMPOSE.services).flatMap(({ stop_grace_period: period }) => period ?? []);
      expect(periods).toHaveLength(3);
      return Math.min(...periods.map((period) => Number(/^(\d+)s$/.exec(period)![1]) * 1000));
    };
  });
});
