import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const check = (...parameters: string[]): Promise<unknown> =>
  promisify(execFile)(process.execPath, [join(ROOT, 'scripts/licences.mjs'), '--check', ...parameters]);

test('everything that ships is listed with its licence, and none asks for more than to be named', async () => {
  await check();
});

describe('a package that is added', () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-licences-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    [{ license: 'MIT' }, 'docs/licences.md is out of date'],
    [{ license: 'MIT', devOptional: true }, 'docs/licences.md is out of date'],
    [{ license: 'GPL-3.0-only' }, 'left-pad 1.3.0: GPL-3.0-only'],
    [{ license: '(GPL-2.0 AND MIT)' }, 'left-pad 1.3.0: (GPL-2.0 AND MIT)'],
    [{ license: 'SEE LICENSE IN LICENSE' }, 'left-pad 1.3.0: SEE LICENSE IN LICENSE'],
  ])('is noticed: %j', async (entry, said) => {
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, object>;
    };
    lock.packages['node_modules/left-pad'] = { version: '1.3.0', ...entry };
    const file = join(folder, 'package-lock.json');
    writeFileSync(file, JSON.stringify(lock));
    await expect(check(`--lock=${file}`)).rejects.toMatchObject({ stderr: expect.stringContaining(said) });
  });
});
