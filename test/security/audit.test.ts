import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const AUDIT = fileURLToPath(new URL('../../scripts/audit.mjs', import.meta.url));

/** Runs the audit against a registry that sends this response. */
async function audit(
  status: number,
  advisories: object = {},
  environment = {},
): Promise<{ passed: boolean; text: string }> {
  const registry = createServer((request, response) => {
    request.resume();
    const isAudit = request.url === '/-/npm/v1/security/advisories/bulk';
    response.writeHead(isAudit ? status : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(isAudit ? advisories : {}));
  }).listen(0, '127.0.0.1');
  await once(registry, 'listening');
  const url = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
  try {
    const parameters = [AUDIT, `--registry=${url}`, '--fetch-retries=0'];
    const { stdout } = await promisify(execFile)(process.execPath, parameters, {
      env: { ...process.env, ...environment },
    });
    return { passed: true, text: stdout };
  } catch (error) {
    return { passed: false, text: (error as { stdout: string }).stdout };
  } finally {
    registry.closeAllConnections();
    registry.close();
  }
}

/** npm caches what it has read about an id. */
const newId = (): number => Math.floor(Math.random() * 1e12);
const advisory = (severity: string): object => ({
  express: [{ id: newId(), url: 'https://example.com/1', title: 'Known', severity, vulnerable_versions: '*' }],
});

describe('the audit of shipped packages', () => {
  test.each(['high', 'critical'])('fails for a finding of severity %s', async (severity) => {
    const { passed, text } = await audit(200, advisory(severity));
    expect({ passed, text }).toEqual({ passed: false, text: expect.stringContaining('express') });
  });

  test('passes without findings and with findings of lower severity', async () => {
    expect(await audit(200)).toMatchObject({ passed: true, text: expect.stringMatching(/^Nothing that ships/) });
    expect(await audit(200, advisory('moderate'))).toMatchObject({ passed: true });
  });

  test('passes with a notice if the registry has no audits, and fails if REQUIRE_AUDIT is set', async () => {
    expect(await audit(405)).toMatchObject({ passed: true, text: expect.stringMatching(/^NOT CHECKED/) });
    expect(await audit(404)).toMatchObject({ passed: true, text: expect.stringMatching(/^NOT CHECKED/) });
    expect(await audit(405, {}, { REQUIRE_AUDIT: '1' })).toMatchObject({ passed: false });
  });

  test('fails if the registry fails', async () => {
    expect(await audit(500)).toMatchObject({ passed: false });
  });
});
