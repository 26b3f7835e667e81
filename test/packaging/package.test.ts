import { execFile, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from '../support/client.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, createDatabase, type TestDatabase } from '../support/harness.js';
import { whenListening } from '../support/process.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

interface Manifest {
  name: string;
  version: string;
  bin: { latchkey: string };
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
}
interface Lock {
  version: string;
  packages: Record<string, { name?: string; dev?: boolean; hasInstallScript?: boolean; gypfile?: boolean }>;
}
const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');
const manifest = JSON.parse(read(ROOT, 'package.json')) as Manifest;
const lock = JSON.parse(read(ROOT, 'package-lock.json')) as Lock;

/** Returns the packages of a lock file that ship, and whether each runs a script when it is installed. */
const shippedBy = ({ packages }: Lock): { name: string; runsScript: boolean }[] =>
  Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, { name = path.split('node_modules/').at(-1)!, hasInstallScript = false }]) => ({
      name,
      runsScript: hasInstallScript,
    }));

/** Returns every file of a folder, by its path in the folder. */
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

describe('what `npm pack` makes', () => {
  let folder: string;
  let archive: string;
  let unpacked: string;
  let packed: string[];
  let database: TestDatabase;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-package-'));
    database = await createDatabase();
    // The scripts would rebuild dist/ while other tests use it.
    const parameters = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
    const { stdout } = await run('npm', parameters, { cwd: ROOT });
    const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }];
    archive = join(folder, filename);
    packed = files.map(({ path }) => path).sort();
    // The layout of `npm install --global`.
    const modules = join(folder, 'lib/node_modules');
    unpacked = join(modules, 'latchkey');
    mkdirSync(join(folder, 'bin'));
    mkdirSync(unpacked, { recursive: true });
    await run('tar', ['-xzf', archive, '-C', unpacked, '--strip-components=1']);
    // Packages that are not dependencies cannot be found from there.
    const optional = Object.keys(manifest.optionalDependencies).filter((name) =>
      existsSync(join(ROOT, 'node_modules', name)),
    );
    for (const name of [...Object.keys(manifest.dependencies), ...optional]) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
    }
    chmodSync(join(unpacked, manifest.bin.latchkey), 0o755);
    symlinkSync(join(unpacked, manifest.bin.latchkey), join(folder, 'bin/latchkey'));
  });
  afterAll(async () => {
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  const latchkey = () => ({
    command: join(folder, 'bin/latchkey'),
    options: {
      cwd: folder,
      env: {
        PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
        DATABASE_URL: database.url,
        PORT: '0',
        DECISION_WAIT_MS: '10000',
        ADMIN_EMAIL,
        ADMIN_PASSWORD,
      },
    },
  });

  test('holds the compiled source, its assets and what tells about it, and nothing else', () => {
    const source = filesOf(join(ROOT, 'src')).filter((file) => !/\.(test|d)\.ts$/.test(file));
    const compiled = source.map((file) => `dist/${file.replace(/\.ts$/, '.js')}`);
    expect(packed).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json', ...compiled].sort());
    expect(filesOf(unpacked).sort()).toEqual(packed);
  });

  // swagger-ui-dist depends on @scarf/scarf, which reports each installation to a company. package.json replaces it
  // with a package that ships anyway. It does so with a dependency, because npm respects overrides only in this
  // repository.
  test('brings no telemetry: nothing that ships runs a script at its installation but better-sqlite3 12', () => {
    expect(shippedBy(lock).filter(({ runsScript }) => runsScript)).toEqual([
      { name: 'better-sqlite3', runsScript: true },
    ]);
    expect(shippedBy(lock).map(({ name }) => name)).not.toContain('@scarf/scarf');
    expect(filesOf(join(ROOT, 'node_modules/@scarf')).filter((file) => !file.startsWith('scarf/'))).toEqual([]);
    expect(JSON.parse(read(ROOT, 'node_modules/@scarf/scarf/package.json'))).toMatchObject({ name: 'once' });
  });

  test('compiles nothing where better-sqlite3 13 runs: node-gyp is not called (`node scripts/lock.mjs`)', () => {
    expect(lock.packages['node_modules/better-sqlite3-13']).toMatchObject({ gypfile: false });
  });

  // It queries the registry for each package.
  (process.env.REQUIRE_REGISTRY === '1' ? test : test.skip)(
    'brings no telemetry to a project of somebody else that installs it',
    async () => {
      const project = join(folder, 'project');
      mkdirSync(project);
      writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', version: '1.0.0' }));
      await run('npm', ['install', '--package-lock-only', '--no-audit', archive], { cwd: project });
      const shipped = shippedBy(JSON.parse(read(project, 'package-lock.json')) as Lock);
      expect(shipped.map(({ name }) => name)).toEqual(expect.arrayContaining(['latchkey', 'swagger-ui-dist']));
      expect(shipped.map(({ name }) => name)).not.toContain('@scarf/scarf');
      expect(shipped.filter(({ runsScript }) => runsScript)).toEqual([]);
    },
    120_000,
  );

  test('runs as the command `latchkey`, with its dependencies alone, and states its version in one place', async () => {
    const { command, options } = latchkey();
    const server = await whenListening(spawn(command, [], { ...options, stdio: ['ignore', 'pipe', 'pipe'] }));
    try {
      const anonymous = new Client(server.url, undefined, new Set());
      const session = await anonymous.post<{ token: string }>('/v1/sessions', {
        email: ADMIN_EMAIL,
        password: ADMIN_PASSWORD,
      });
      expect(session.status).toBe(201);
      const admin = new Client(server.url, `Bearer ${session.body.token}`, new Set());
      expect(await admin.get('/v1/users')).toMatchObject({ status: 200, body: { totalResultSize: 1 } });
      // The package contains the docs page, and the thread that reads the documents of services.
      expect((await anonymous.get<string>('/docs')).body).toContain('<html');
      const openapi = { openapi: '3.1.0', paths: { '/invoices': { get: {} } } };
      const service = await admin.put('/v1/services/billing', { name: 'Billing', openapi: JSON.stringify(openapi) });
      expect(service.status).toBeLessThan(300);

      const { version } = manifest;
      expect((await anonymous.get<{ version: string }>('/health/live')).body.version).toBe(version);
      expect((await anonymous.get<{ info: { version: string } }>('/openapi.json')).body.info.version).toBe(version);
      expect(lock.version).toBe(version);
      expect(read(unpacked, 'CHANGELOG.md')).toContain(`\n## [${version}]`);
    } finally {
      expect(await server.stop()).toBe(0);
    }
    const reset = await run(command, ['reset-password', ADMIN_EMAIL], options);
    expect(reset.stdout.trim()).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
  });
});
