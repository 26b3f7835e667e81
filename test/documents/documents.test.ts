import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getMetadataStorage } from 'class-validator';
import { Config } from '../../src/config/config.js';
import { PROBLEMS } from '../../src/problems/problem-codes.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DOCUMENTS = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'bench/README.md',
  ...filesBelow('docs', /\.md$/),
  ...filesBelow('examples', /\.md$/),
];
const FENCED = /^( *)```[^]*?^\1```/gm;
/** Names in capitals that are not variables of Latchkey or its tests: they belong to other programs, Node or MySQL. */
const OTHERS = [
  ...['LATCHKEY_KEY', 'LATCHKEY_URL', 'NODE_EXTRA_CA_CERTS'],
  ...['BEFORE_ON_PRIMARY_FAILOVER', 'OFFLINE_MODE', 'READ_ONLY', 'CONNECTION_ADMIN', 'GET_LOCK', 'FROM_UNIXTIME'],
];

function filesBelow(folder: string, ending: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      return entry.name === 'node_modules' ? [] : filesBelow(path, ending);
    }
    return ending.test(path) ? [path] : [];
  });
}

function read(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8');
}

/** Returns the variables that tests, scripts, the bench and the compose file read. */
function variablesElsewhere(): string[] {
  const programs = ['test', 'scripts', 'bench'].flatMap((folder) => filesBelow(folder, /\.m?[jt]s$/));
  return [
    ...programs.flatMap((file) => [...read(file).matchAll(/process\.env\.(\w+)/g)]),
    ...read('docker/compose.yaml').matchAll(/\$\{(\w+)/g),
  ].map(([, name]) => name!);
}

/** Returns the texts in backticks. */
function codeIn(text: string): string[] {
  return [...text.replaceAll(FENCED, '').matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}

/** Returns the anchors of the headings of a document, as GitHub creates them. */
function anchorsOf(path: string): string[] {
  const text = readFileSync(path, 'utf8').replaceAll(FENCED, '');
  return [...text.matchAll(/^#+ +(.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Returns the rows of the tables of a text as cells, without heads and separators. */
function rowsOf(text: string): string[][] {
  return text
    .split('\n')
    .filter(
      (line, index, lines) => line.startsWith('|') && !/^\| -/.test(line) && !/^\| -/.test(lines[index + 1] ?? ''),
    )
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function isFaulty(document: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? join(ROOT, document) : resolve(ROOT, dirname(document), path);
  return !existsSync(file) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
}

describe('the documents', () => {
  test.each(DOCUMENTS)('%s links only to files and headings that exist', (document) => {
    const text = read(document).replaceAll(FENCED, '');
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
    const faulty = targets.filter((target) => !/^[a-z]+:/.test(target) && isFaulty(document, target));
    expect(faulty).toEqual([]);
  });

  test.each(DOCUMENTS)('%s names only files that exist', (document) => {
    const paths = codeIn(read(document)).filter((code) =>
      /^(?:src|test|docs|examples|docker|scripts|bench)\/[\w./-]+$/.test(code),
    );
    const missing = paths.filter(
      (path) => !existsSync(join(ROOT, path)) && !existsSync(join(ROOT, dirname(document), path)),
    );
    expect(missing).toEqual([]);
  });

  const variables = getMetadataStorage()
    .getTargetValidationMetadatas(Config, '', false, false)
    .map(({ propertyName }) => propertyName);

  test('the README lists exactly the variables of the configuration', () => {
    const [, section = ''] = read('README.md').split('\n## Configuration\n');
    const named = rowsOf(section.split('\n## ')[0]!).map(([name]) => name!.replaceAll('`', ''));
    expect(named.sort()).toEqual([...new Set(variables)].sort());
  });

  const known = new Set([...variables, ...variablesElsewhere(), ...OTHERS]);

  test.each(DOCUMENTS)('%s names only variables that are read somewhere', (document) => {
    const names = read(document).match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g) ?? [];
    expect(names.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('docs/operating.md', () => {
  const text = read('docs/operating.md');
  const [, section = ''] = text.split('\n## Metrics\n');
  const table = rowsOf(section.split('\n## ')[0]!).filter(([name]) => /^`latchkey_\w+`$/.test(name!));
  let latchkey: Latchkey;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    // Creates each kind of counter with outcomes: a decision, and an import that fails.
    await latchkey.admin.post('/v1/applications/1/campaigns/1/import_coupons', new FormData());
  });
  afterAll(() => latchkey.close());

  test('names all metrics, and only metrics that exist', async () => {
    const { body } = await latchkey.anonymous.get<string>('/metrics');
    const printed = [...body.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name!);
    const listed = table.map(([name]) => name!.replaceAll('`', ''));
    const elsewhere = table.filter(([, , what]) => what!.startsWith('MySQL only')).map(([name]) => name!.slice(1, -1));
    const absent = latchkey.database.engine === 'mysql' ? [] : elsewhere;
    expect(elsewhere.length).toBeGreaterThan(0);
    expect(printed.filter((name) => name.startsWith('latchkey_')).sort()).toEqual(
      listed.filter((name) => !absent.includes(name)).sort(),
    );
    const named = text.match(/\b(?:latchkey|process|nodejs)_[a-z]\w*/g) ?? [];
    expect(named.filter((name) => !printed.includes(name) && !absent.includes(name))).toEqual([]);
  });

  test('names the labels of each metric', async () => {
    const { body } = await latchkey.anonymous.get<string>('/metrics');
    const isHere = (what = ''): boolean => latchkey.database.engine === 'mysql' || !what.startsWith('MySQL only');
    for (const [name = '', labels = ''] of table.filter(([, , what]) => isHere(what))) {
      const [, , line = ''] = new RegExp(`^${name.slice(1, -1)}(?:_count)?(\\{(.*)\\})? `, 'm').exec(body) ?? [];
      expect([name, ...codeIn(labels)]).toEqual([name, ...[...line.matchAll(/(\w+)=/g)].map(([, label]) => label)]);
    }
  });

  test('names only existing problem codes', () => {
    const codes = codeIn(text).filter((code) => /^[a-z]+(?:-[a-z]+)+$/.test(code));
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !(code in PROBLEMS) && !['forward-auth', 'reset-password'].includes(code))).toEqual(
      [],
    );
  });
});
