import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DIRECTIONS } from '../../eslint.config.js';
import { SUITES } from '../suites.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (document: string): string => readFileSync(ROOT + document, 'utf8');

/** Returns all folders that a folder imports, directly or indirectly. */
function reachableFrom(folder: string, found = new Set<string>()): Set<string> {
  for (const next of DIRECTIONS[folder]!.filter((other) => !found.has(other))) {
    found.add(next);
    reachableFrom(next, found);
  }
  return found;
}

describe('docs/architecture.md', () => {
  const text = read('docs/architecture.md');

  test('draws the import directions that lint enforces, without those that follow from others', () => {
    const expected = Object.entries(DIRECTIONS).flatMap(([folder, imported]) =>
      imported
        .filter((target) => !imported.some((other) => other !== target && reachableFrom(other).has(target)))
        .map((target) => `${folder} --> ${target}`),
    );
    const drawn = [...text.matchAll(/^ *(\S+ --> \S+)$/gm)].map(([, edge]) => edge);
    expect(drawn).toEqual(expected);
  });

  test('names only files that exist, and few for each request', () => {
    const requests = text.split('\n### ').slice(1);
    const counts = requests.map((request) => {
      const files = [...request.matchAll(/^\| `(src\/[^`]+)`/gm)].map(([, file]) => file!);
      expect(files.filter((file) => !existsSync(ROOT + file))).toEqual([]);
      return files.length;
    });
    expect(counts).toEqual([20, 12, 14]);
  });
});

test('CONTRIBUTING.md lists every suite with its command and purpose', () => {
  const rows = [...read('CONTRIBUTING.md').matchAll(/^\| `npm run test:(\w+)` +\| (.+?) +\|$/gm)];
  const listed = Object.fromEntries(rows.map(([, suite, purpose]) => [suite, purpose]));
  expect(listed).toEqual(Object.fromEntries(Object.entries(SUITES).map(([name, { purpose }]) => [name, purpose])));
});
