import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Module } from '@nestjs/common';
import { EndpointCatalogue } from '../../src/access/endpoint-catalogue.js';
import { Config } from '../../src/config/config.js';
import { createApplication, createKey } from '../support/fixtures.js';
import { createDatabase, type Latchkey, startLatchkey, type TestDatabase } from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const EXAMPLE = readFileSync(
  new URL('../../examples/protected-endpoint/reports.controller.ts', import.meta.url),
  'utf8',
);

describe('the README', () => {
  describe('the walk-through with curl', () => {
    let database: TestDatabase;
    let server: ServerProcess;
    let folder: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'latchkey-readme-'));
      database = await createDatabase();
      server = await startServer({
        DATABASE_URL: database.url,
        ADMIN_EMAIL: 'ada@example.com',
        ADMIN_PASSWORD: 'correct horse battery',
      });
    });
    afterAll(async () => {
      await server.stop();
      await database.drop();
      rmSync(folder, { recursive: true });
    });

    test('runs as written', async () => {
      const blocks = [...README.matchAll(/```bash\n([\s\S]*?)```/g)].map(([, block]) => block!);
      expect(blocks.length).toBeGreaterThanOrEqual(2);
      const script = blocks.join('\n').replaceAll('http://127.0.0.1:3000', server.url);
      const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder });
      expect(stdout).toContain('/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons');
      expect(stdout).toContain('"amount":2');
      expect(stdout).toContain('"code":"endpoint-not-allowed"');
      expect(stdout).toContain('"code":"unknown"');
      expect(stdout).toMatch(/"valid":false,"code":"endpoint-not-allowed"/);
      expect(stdout).toMatch(/HTTP\/1.1 200 OK[^]*X-Latchkey-Endpoint: GET \/invoices\/\{id\}[^]*$/);
    });
  });

  describe('the protected endpoint', () => {
    let latchkey: Latchkey;

    beforeAll(async () => {
      const { ReportsController } = await import('../../examples/protected-endpoint/reports.controller.js');
      @Module({ controllers: [ReportsController] })
      class ReportsModule {}
      latchkey = await startLatchkey({}, { modules: [ReportsModule] });
    });
    afterAll(() => latchkey.close());

    test('is identical to the one in examples/', () => {
      expect(README).toContain(EXAMPLE);
    });

    test('is in the catalogue, and accepts only a key that was granted it', async () => {
      const path = '/v1/applications/{applicationId}/reports/{reportId}';
      expect(latchkey.get(EndpointCatalogue).own.map((endpoint) => endpoint.path)).toContain(path);
      const [one, other] = [await createApplication(latchkey.admin), await createApplication(latchkey.admin)];
      const { key } = await createKey(latchkey.admin, {
        allowedApplicationIds: [one],
        endpoints: [{ method: 'GET', path }],
      });
      const caller = latchkey.as(`ManagementKey-v1 ${key}`);
      expect(await caller.get(`/v1/applications/${one}/reports/7`)).toMatchObject({
        status: 200,
        body: { id: 7, applicationId: one },
      });
      expect((await caller.get(`/v1/applications/${other}/reports/7`)).status).toBe(403);
      expect((await latchkey.anonymous.get(`/v1/applications/${one}/reports/7`)).status).toBe(401);
    });
  });

  test('names every variable of the configuration, with its default', () => {
    for (const [name, value] of Object.entries(new Config())) {
      const row = README.split('\n').find((line) => line.startsWith(`| \`${name}\``));
      expect([name, row]).toEqual([name, expect.stringContaining(String(value))]);
    }
  });
});
