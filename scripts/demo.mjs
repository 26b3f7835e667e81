// Shows the main use of Latchkey over HTTP, on a fresh server that this script starts and stops: `npm run demo`.
// Exits with 1 at the first unexpected response.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const ADMIN = { email: 'ada@example.com', password: 'a password only for the demo' };
const SECOND_ADMIN = { email: 'grace@example.com', password: 'another password for the demo' };
const COUPONS = 10_000;
const IMPORT = '/v1/applications/{applicationId}/campaigns/{campaignId}/import_coupons';

const folder = mkdtempSync(join(tmpdir(), 'latchkey-demo-'));
const server = spawn(process.execPath, [MAIN], {
  env: {
    PATH: process.env.PATH,
    PORT: '0',
    DATABASE_URL: process.env.DATABASE_URL ?? `sqlite:${join(folder, 'demo.sqlite')}`,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
  },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ended = once(server, 'exit');

/** The address on which the server listens, from its log. */
const url = await new Promise((resolve, reject) => {
  let output = '';
  server.stdout.on('data', (chunk) => {
    output += chunk;
    const match = /listens on (http:\/\/[^\s";]+)/.exec(output);
    if (match) resolve(match[1]);
  });
  ended.then(() => reject(new Error(`the server did not start:\n${output}`)));
});

let steps = 0;
function tell(text) {
  steps += 1;
  console.log(`${String(steps).padStart(2)}. ${text}`);
}

/** Sends a request. Throws if the response does not have the expected status and, for a refusal, the expected code. */
async function call(authorization, method, path, { body, form, expect, code }) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(authorization && { authorization }),
      ...(body && { 'content-type': 'application/json' }),
    },
    body: form ?? (body && JSON.stringify(body)),
  });
  const text = await response.text();
  const answer = text === '' ? null : JSON.parse(text);
  if (response.status !== expect || (code && answer?.code !== code)) {
    throw new Error(
      `${method} ${path} should have answered ${expect} ${code ?? ''} but answered ${response.status} ${text}`,
    );
  }
  return answer;
}

async function signIn({ email, password }) {
  const { token } = await call(null, 'POST', '/v1/sessions', { body: { email, password }, expect: 201 });
  return `Bearer ${token}`;
}

function csv() {
  const rows = Array.from(
    { length: COUPONS },
    (_, row) => `SPRING-${String(row).padStart(6, '0')},2027-12-31T23:00:00Z,1`,
  );
  const form = new FormData();
  form.append('upFile', new Blob([['value,expirydate,limitval', ...rows].join('\r\n')]), 'coupons.csv');
  return form;
}

async function demo() {
  const admin = await signIn(ADMIN);
  tell(`${ADMIN.email} signs in as an admin.`);

  const application = (name) =>
    call(admin, 'POST', '/v1/applications', {
      body: { name, timezone: 'Europe/Berlin', currency: 'EUR' },
      expect: 201,
    });
  const shop = await application('Shop');
  const outlet = await application('Outlet');
  tell(`They make two Applications: "${shop.name}" (${shop.id}) and "${outlet.name}" (${outlet.id}),`);
  const campaignOf = ({ id }, name) =>
    call(admin, 'POST', `/v1/applications/${id}/campaigns`, { body: { name, features: ['coupons'] }, expect: 201 });
  const spring = await campaignOf(shop, 'Spring sale');
  const clearance = await campaignOf(outlet, 'Clearance');
  tell(`and a campaign in each: "${spring.name}" (${spring.id}) and "${clearance.name}" (${clearance.id}).`);

  const { data: endpoints } = await call(admin, 'GET', '/v1/endpoints?scope=application&pageSize=1000', {
    expect: 200,
  });
  tell(`They look at the ${endpoints.length} endpoints that work with one Application, among them:`);
  for (const { method, path, summary } of endpoints.slice(0, 4)) console.log(`      ${method} ${path} - ${summary}`);

  const { id: graceId } = await call(admin, 'POST', '/v1/users', {
    body: { name: 'Grace', ...SECOND_ADMIN, isAdmin: true },
    expect: 201,
  });
  const grace = await signIn(SECOND_ADMIN);
  const key = await call(grace, 'POST', '/v1/api_keys', {
    body: {
      name: 'Coupon importer',
      expiryDate: new Date(Date.now() + 30 * 24 * 60 * 60 * 1000).toISOString(),
      allowedApplicationIds: [shop.id],
      endpoints: [{ method: 'POST', path: IMPORT }],
    },
    expect: 201,
  });
  const developer = `ManagementKey-v1 ${key.key}`;
  tell(`A second admin, ${SECOND_ADMIN.email}, makes the key ${key.hint}... (shown once): it may only import coupons,`);
  console.log(`      only into "${shop.name}", until ${key.expiryDate}.`);

  const importPath = ({ id }, campaign) => `/v1/applications/${id}/campaigns/${campaign.id}/import_coupons`;
  const started = performance.now();
  const imported = await call(developer, 'POST', importPath(shop, spring), { form: csv(), expect: 200 });
  if (imported.amount !== COUPONS) throw new Error(`${imported.amount} coupons were imported instead of ${COUPONS}`);
  tell(`A developer imports ${imported.amount} coupons with it, in ${Math.round(performance.now() - started)} ms.`);

  const refusals = [
    ['another endpoint', 'GET', `/v1/applications/${shop.id}/campaigns`, 'endpoint-not-allowed'],
    ['the other Application', 'POST', importPath(outlet, clearance), 'application-not-allowed'],
    ['key management', 'GET', '/v1/api_keys', 'endpoint-not-allowed'],
  ];
  for (const [what, method, path, code] of refusals) {
    const { detail } = await call(developer, method, path, { expect: 403, code });
    tell(`They are refused on ${what}: 403 ${code}. ${detail}`);
  }

  const probe = (expectation) => call(developer, 'POST', importPath(shop, spring), expectation);
  const setState = (state) => call(admin, 'PUT', `/v1/users/${graceId}`, { body: { state }, expect: 200 });
  const { keysAffected } = await setState('deactivated');
  await probe({ expect: 401, code: 'creator-deactivated' });
  tell(
    `The first admin deactivates ${SECOND_ADMIN.email}: ${keysAffected} key stops, the next call is refused (401 creator-deactivated).`,
  );
  await setState('active');
  // The key may upload again. The request now fails because it contains no file.
  await probe({ expect: 415, code: 'media-type-unsupported' });
  tell(`They reactivate them: the key works again.`);

  await call(admin, 'DELETE', `/v1/api_keys/${key.id}`, { expect: 204 });
  tell('They delete the key.');
  await probe({ expect: 401, code: 'unknown' });
  tell('The next call with it is refused (401 unknown), for ever.');
}

try {
  await demo();
  console.log('\nEverything was as it should be.');
} catch (error) {
  console.error(`\n${error.message}`);
  process.exitCode = 1;
} finally {
  server.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}
