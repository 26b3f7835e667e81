import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type Browser, chromium, type Page } from 'playwright-core';
import { ADMIN_EMAIL, ADMIN_PASSWORD, createDatabase, type TestDatabase } from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';
import { SwaggerPage } from './swagger-page.js';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const ARTEFACTS = fileURLToPath(new URL('../../artefacts/', import.meta.url));
/** Another name than localhost, because browsers are stricter with pages over plain http from other hosts. */
const HOST = 'latchkey.test';
const IMPORT = '/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons';

// A browser is slow if many tests share few cores.
jest.setTimeout(120_000);

const isThere = existsSync(CHROMIUM);
const required = process.env.REQUIRE_BROWSER === '1';

if (!isThere && !required) {
  test.skip(`skipped: there is no Chromium at ${CHROMIUM}`, () => undefined);
}

(isThere || required ? describe : describe.skip)('Swagger UI', () => {
  let database: TestDatabase;
  let server: ServerProcess;
  let browser: Browser;
  let page: Page;
  let swagger: SwaggerPage;
  let address: string;
  let token: string;
  let key: { id: number; key: string };
  const addresses = new Set<string>();
  const complaints: string[] = [];

  beforeAll(async () => {
    database = await createDatabase();
    server = await startServer({ DATABASE_URL: database.url });
    const { port } = new URL(server.url);
    address = `http://${HOST}:${port}`;
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        `--host-resolver-rules=MAP ${HOST} 127.0.0.1`,
      ],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: 'light' });
    page.on('request', (request) => addresses.add(request.url()));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) {
        complaints.push(message.text());
      }
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    swagger = new SwaggerPage(page);
    mkdirSync(ARTEFACTS, { recursive: true });
    await swagger.open(`${address}/`);
  });

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await database?.drop();
  });

  const screenshot = (name: string) => page.screenshot({ path: join(ARTEFACTS, `swagger-ui-${name}.png`) });
  const screenshotOf = async (operationId: string, name: string) => {
    // The bar at the top stays in view, and would cover the middle of a screenshot of a long operation.
    const style = '.swagger-ui .scheme-container { position: static }';
    await swagger.operation(operationId).screenshot({ path: join(ARTEFACTS, `swagger-ui-${name}.png`), style });
  };

  test('shows on the line of each operation who may use it', async () => {
    await screenshot('1-front');
    const badge = (operationId: string) => swagger.operation(operationId).locator('.access-badge').innerText();
    expect(await badge('createSession')).toBe('anyone');
    expect(await badge('getCurrentSession')).toBe('signed in');
    expect(await badge('createApiKey')).toBe('admin');
    expect(await badge('importCoupons')).toBe('key');
    expect(await swagger.credential()).toBe('Nobody is signed in');
  });

  test('lets an admin sign in and authorize with the bare token', async () => {
    const answer = await swagger.execute('createSession', { body: { email: ADMIN_EMAIL, password: ADMIN_PASSWORD } });
    await screenshotOf('createSession', '2-signed-in');
    expect(answer.status).toBe(201);
    ({ token } = answer.body as { token: string });
    await swagger.authorize('manager_auth', ` ${token}\n`);
    expect(await swagger.credential()).toBe('Signed in with a session');
    expect((await swagger.execute('getCurrentSession')).body).toMatchObject({ user: { email: ADMIN_EMAIL } });
  });

  test('lets an admin create an Application and a campaign, pick an endpoint, and create a key', async () => {
    const application = await swagger.execute('createApplication', {
      body: { name: 'Web shop', timezone: 'Europe/Berlin', currency: 'EUR' },
    });
    expect(application).toMatchObject({ status: 201, body: { id: 1 } });
    const campaign = await swagger.execute('createCampaign', {
      parameters: { applicationId: '1' },
      body: { name: 'Summer sale' },
    });
    expect(campaign).toMatchObject({ status: 201, body: { id: 1 } });
    const endpoints = await swagger.execute('listEndpoints', { parameters: { scope: 'application', q: 'import' } });
    expect(endpoints.body).toMatchObject({ totalResultSize: 1, data: [{ method: 'POST', path: IMPORT }] });
    const created = await swagger.execute('createApiKey', {
      body: {
        name: 'Coupon importer',
        expiryDate: '2099-12-31',
        allowedApplicationIds: [1],
        endpoints: [{ method: 'POST', path: IMPORT }],
      },
    });
    await screenshotOf('createApiKey', '3-key-created');
    expect(created.status).toBe(201);
    key = created.body as { id: number; key: string };
    expect((await swagger.execute('listApiKeys')).body).toMatchObject({ totalResultSize: 1 });
  });

  test('uses one credential at a time: authorizing with a key replaces the session', async () => {
    await swagger.authorize('management_key', key.key);
    expect(await swagger.credential()).toBe(`Using the key${key.key.slice(0, 8)}…`);
    expect(await swagger.execute('listApiKeys')).toMatchObject({ status: 403, body: { code: 'endpoint-not-allowed' } });
    await screenshotOf('listApiKeys', '4-refused');
  });

  test('remembers the credential when the page is reloaded', async () => {
    await page.reload();
    await page.locator('.opblock').first().waitFor();
    expect(await swagger.credential()).toBe(`Using the key${key.key.slice(0, 8)}…`);
  });

  const upload = () =>
    swagger.execute('importCoupons', {
      parameters: { applicationId: '1', campaignId: '1' },
      file: {
        name: 'coupons.csv',
        mimeType: 'text/csv',
        buffer: Buffer.from('value,limitval\nSUMMER-1,1\nSUMMER-2,1\nSUMMER-3,0\n'),
      },
    });

  test('shows an error when an import has no file', async () => {
    const parameters = { applicationId: '1', campaignId: '1' };
    const answer = await swagger.execute('importCoupons', { parameters });
    expect(answer).toMatchObject({ status: 400, body: { code: 'import-invalid' } });
  });

  test('imports a file with the key', async () => {
    const answer = await upload();
    await screenshotOf('importCoupons', '5-imported');
    expect(answer).toMatchObject({ status: expect.any(Number), body: { amount: 3 } });
    expect([200, 201]).toContain(answer.status);
  });

  test('accepts the complete response to the creation of a key as a credential', async () => {
    await swagger.authorize(
      'management_key',
      JSON.stringify({ id: 1, key: key.key, name: 'Coupon importer' }, null, 2),
    );
    expect(await swagger.credential()).toBe(`Using the key${key.key.slice(0, 8)}…`);
  });

  test('accepts a credential after its scheme, and in the field of the other scheme', async () => {
    await swagger.authorize('manager_auth', `Bearer ${token}`);
    expect((await swagger.execute('getCurrentSession')).status).toBe(200);
    await swagger.authorize('manager_auth', `managementkey-v1 ${key.key}`);
    expect(await swagger.credential()).toContain('Using the key');
    await swagger.authorize('management_key', token);
    expect(await swagger.credential()).toBe('Signed in with a session');
    expect((await swagger.execute('getCurrentSession')).status).toBe(200);
  });

  test('shows a response with a thousand coupons without highlighting, which would freeze the page', async () => {
    const created = await swagger.execute('createCoupons', {
      parameters: { applicationId: '1', campaignId: '1' },
      body: { usageLimit: 1, numberOfCoupons: 1000 },
    });
    expect(created.body).toMatchObject({ totalResultSize: 1000 });
    const shown = swagger.operation('createCoupons').locator('.live-responses-table .response-col_description code');
    expect(await shown.first().locator('span').count()).toBe(0);
    const few = swagger.operation('getCurrentSession').locator('.live-responses-table .response-col_description code');
    expect(await few.first().locator('span').count()).toBeGreaterThan(0);
  });

  test('shows the refusal of a deleted key', async () => {
    expect(await swagger.execute('deleteApiKey', { parameters: { apiKeyId: String(key.id) } })).toEqual({
      status: 204,
      body: null,
    });
    await swagger.authorize('management_key', `ManagementKey-v1 ${key.key}`);
    const answer = await upload();
    await screenshotOf('importCoupons', '6-refused-after-deletion');
    expect(answer).toMatchObject({ status: 401, body: { code: 'unknown' } });
  });

  test('forgets a session after its sign-out', async () => {
    await swagger.authorize('manager_auth', token);
    expect((await swagger.execute('destroySession')).status).toBe(204);
    await page.getByText('Nobody is signed in').waitFor();
    await page.reload();
    await page.locator('.opblock').first().waitFor();
    expect(await swagger.credential()).toBe('Nobody is signed in');
  });

  test('has a dark theme and fits a narrow screen', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.evaluate('window.scrollTo(0, 0)');
    await page.waitForFunction('window.scrollY === 0');
    await screenshot('7-dark');
    await page.setViewportSize({ width: 420, height: 900 });
    await screenshot('8-narrow');
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - window.innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
  });

  test('loads nothing from other hosts and causes no errors or warnings in the browser', () => {
    const elsewhere = [...addresses].filter((url) => !url.startsWith(`${address}/`) && !url.startsWith('data:'));
    expect(elsewhere).toEqual([]);
    const refusals = /^Failed to load resource: the server responded with a status of 40[013]/;
    expect(complaints.filter((complaint) => !refusals.test(complaint))).toEqual([]);
  });
});
