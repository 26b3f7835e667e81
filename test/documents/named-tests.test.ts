import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test.each(['threat-model.md', 'faults.md'])('every test that docs/%s names exists', (document) => {
  const rows = readFileSync(`${ROOT}docs/${document}`, 'utf8').split('\n');
  const named = rows.flatMap((row) => {
    const [, file, name] = /\| `([^`]+\.test\.ts)` "([^"]+)" *\|$/.exec(row) ?? [];
    return file !== undefined && name !== undefined ? [{ file, name }] : [];
  });
  // The head of the table and its separator are not rows.
  expect(named).toHaveLength(rows.filter((row) => row.startsWith('|')).length - 2);
  const missing = named.filter(
    ({ file, name }) => !existsSync(ROOT + file) || !readFileSync(ROOT + file, 'utf8').includes(name),
  );
  expect(missing).toEqual([]);
});
