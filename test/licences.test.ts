import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

test('everything that ships is listed with its licence, and none asks for more than to be named', async () => {
  const script = fileURLToPath(new URL('../scripts/licences.mjs', import.meta.url));
  await promisify(execFile)(process.execPath, [script, '--check']);
});
