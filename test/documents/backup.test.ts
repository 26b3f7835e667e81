import { execFile } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { signIn, startService } from '../faults/service.js';
import { createSqliteDatabase } from '../support/harness.js';
import { startServer } from '../support/process.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('the documented backup of a SQLite database in use runs as written and is complete', async () => {
  const text = readFileSync(join(ROOT, 'docs/operating.md'), 'utf8');
  const [, block] = /test\/documents\/backup\.test\.ts runs this\. -->\n\n```sh\n([^]*?)```/.exec(text)!;
  const [source, copy] = [createSqliteDatabase(), createSqliteDatabase()];
  const [from, to] = [source, copy].map(({ url }) => url.slice('sqlite:'.length)) as [string, string];
  const service = await startService(source.url);
  try {
    const writing = new AbortController();
    const written = writeUntil(writing.signal, service);
    const script = block!.replaceAll('data/latchkey.sqlite', from).replaceAll('backup.sqlite', to);
    await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: ROOT });
    writing.abort();
    expect(await written).toBeGreaterThan(0);
    expect(statSync(to).mode & 0o777).toBe(0o600);

    const restored = await startServer({ DATABASE_URL: copy.url });
    try {
      const admin = await signIn(restored.url);
      const codeOf = async (key: string): Promise<unknown> => {
        const question = { key, method: 'GET', path: `/v1/applications/${service.applicationId}/campaigns` };
        return (await admin.post<{ code: string }>('/v1/verifications', question)).body.code;
      };
      expect([await codeOf(service.alive.key), await codeOf(service.dead.key)]).toEqual(['valid', 'unknown']);
    } finally {
      await restored.stop();
    }
  } finally {
    await service.server.stop();
    await Promise.all([source.drop(), copy.drop()]);
  }
});

async function writeUntil(signal: AbortSignal, { admin, campaign }: Awaited<ReturnType<typeof startService>>) {
  let written = 0;
  while (!signal.aborted || written === 0) {
    const answer = await admin.put(campaign, { name: `Campaign ${written}` });
    expect(answer.status).toBe(200);
    written += 1;
  }
  return written;
}
