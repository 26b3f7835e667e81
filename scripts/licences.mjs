// Writes docs/licences.md: the packages that ship with Latchkey, with their licences. `--check` writes nothing, and
// fails if the file is out of date. `--lock=FILE` reads another lock file. Fails if a licence requires more than to be
// named.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const LIST = join(ROOT, 'docs/licences.md');
const named = process.argv.find((parameter) => parameter.startsWith('--lock='));
const LOCK = named ? resolve(named.slice('--lock='.length)) : join(ROOT, 'package-lock.json');
const PERMISSIVE = new Set([
  'MIT',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'Python-2.0',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Unlicense',
]);

const readJson = (...path) => JSON.parse(readFileSync(join(ROOT, ...path), 'utf8'));

/** Returns the packages that `npm ci --omit=dev` installs on any platform, with their optional dependencies. */
function shippedPackages() {
  const { packages } = JSON.parse(readFileSync(LOCK, 'utf8'));
  return Object.entries(packages)
    .filter(([path, { dev, link, resolved }]) => path !== '' && !dev && !link && !resolved?.startsWith('file:'))
    .map(([path, { name, version, license }]) => ({
      // The folder of an alias has another name than the package.
      name: name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version,
      licence: license ?? licenceInstalled(path),
    }));
}

/** Returns the licence of an installed package. Old packages use a form that the lock file leaves out. */
function licenceInstalled(path) {
  const { license, licenses } = readJson(path, 'package.json');
  return license?.type ?? licenses?.map(({ type }) => type).join(' OR ') ?? 'none';
}

function isPermissive(licence) {
  return licence
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((one) => one.split(' AND ').every((each) => PERMISSIVE.has(each)));
}

function asMarkdown(rows) {
  const width = (field, title) => Math.max(title.length, ...rows.map((row) => row[field].length));
  const columns = [
    ['name', 'package'],
    ['version', 'version'],
    ['licence', 'licence'],
  ].map(([field, title]) => ({ field, title, width: width(field, title) }));
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [
    '# Licences of what ships',
    '',
    'What `npm ci --omit=dev` installs, on any platform. Written by `node scripts/licences.mjs`.',
    '',
    line(columns.map(({ title, width }) => title.padEnd(width))),
    line(columns.map(({ width }) => '-'.repeat(width))),
    ...rows.map((row) => line(columns.map(({ field, width }) => row[field].padEnd(width)))),
    '',
  ].join('\n');
}

const unique = new Map(shippedPackages().map((row) => [`${row.name} ${row.version}`, row]));
const rows = [...unique.keys()].sort().map((key) => unique.get(key));
const refused = rows.filter(({ licence }) => !isPermissive(licence));
if (refused.length > 0) {
  const lines = refused.map(({ name, version, licence }) => `  - ${name} ${version}: ${licence}`);
  process.stderr.write(`Read the licences of these packages before they ship:\n${lines.join('\n')}\n`);
  process.exitCode = 1;
} else if (!process.argv.includes('--check')) {
  writeFileSync(LIST, asMarkdown(rows));
} else if (readFileSync(LIST, 'utf8') !== asMarkdown(rows)) {
  process.stderr.write('docs/licences.md is out of date: run `node scripts/licences.mjs`\n');
  process.exitCode = 1;
}
