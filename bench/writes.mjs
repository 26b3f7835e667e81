// Measures how much slower writes are because they authorize inside the transaction:
//   npm run build && TEST_MYSQL_URL=mysql://root@127.0.0.1:3306/latchkey node bench/writes.mjs --before <dist/main.js of another build>
// It counts updates of coupons per second, over several connections, with a key that is limited to the Application and
// with a session. Each build has its own database on the same server. They are measured in turn. Without TEST_MYSQL_URL
// it measures on SQLite.
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MAIN, openMysql } from './databases.mjs';
import { median } from './median.mjs';
import { startProcess } from './processes.mjs';
import { printTable } from './table.mjs';

const ADMIN = { ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'a password for the bench' };
const WARM_UP_MS = 2000;
const TO_REACH = 0.9;

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '5' },
    before: { type: 'string' },
  },
});
const [CONNECTIONS, SECONDS, ROUNDS] = ['connections', 'seconds', 'rounds'].map((name) => Number(values[name]));
const folder = mkdtempSync(join(tmpdir(), 'latchkey-writes-'));
const builds = [...(values.before ? [['before', values.before]] : []), ['now', MAIN]];

try {
  const measured = [];
  for (const [name, main] of builds) {
    measured.push({ name, main, ...(await fill(name, main)), rounds: { key: [], session: [] } });
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { name, main, environment, world, rounds } of measured) {
      const server = await startProcess(main, environment, join(folder, `${name}.log`));
      for (const kind of ['key', 'session']) {
        rounds[kind].push(await writesPerSecond(server.url, world, world[kind]));
      }
      await server.stop();
    }
  }
  print(measured);
  for (const { database } of measured) {
    await database?.drop();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function fill(name, main) {
  const database = process.env.TEST_MYSQL_URL ? await openMysql(`writes_${name}`) : undefined;
  const environment = {
    DATABASE_URL: database?.url ?? `sqlite:${join(folder, `${name}.sqlite`)}`,
    LOG_LEVEL: 'warn',
    ...ADMIN,
  };
  const server = await startProcess(main, environment, join(folder, `${name}.set-up.log`));
  const post = async (path, body, authorization) => {
    const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) };
    const answer = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) {
      throw new Error(`POST ${path}: ${await answer.text()}`);
    }
    return answer.json();
  };
  const { token } = await post('/v1/sessions', { email: ADMIN.ADMIN_EMAIL, password: ADMIN.ADMIN_PASSWORD });
  const session = `Bearer ${token}`;
  const shop = await post('/v1/applications', { name: 'Shop', timezone: 'UTC', currency: 'EUR' }, session);
  const campaigns = `/v1/applications/${shop.id}/campaigns`;
  const campaign = await post(campaigns, { name: 'Sale' }, session);
  const coupons = `${campaigns}/${campaign.id}/coupons`;
  const made = await post(coupons, { usageLimit: 1, numberOfCoupons: CONNECTIONS }, session);
  const { key } = await post(
    '/v1/api_keys',
    {
      name: 'Writer',
      expiryDate: '2099-01-01',
      allowedApplicationIds: [shop.id],
      endpoints: [
        { method: 'PUT', path: '/v1/applications/{applicationId}/campaigns/{campaignId}/coupons/{couponId}' },
      ],
    },
    session,
  );
  await server.stop();
  const paths = made.data.map(({ id }) => `${coupons}/${id}`);
  return { database, environment, world: { paths, session, key: `ManagementKey-v1 ${key}` } };
}

/** Returns updates per second. Each connection updates its own coupon, one request after the other. */
async function writesPerSecond(url, { paths }, authorization) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let [count, isCounting, isOver] = [0, false, false];
  const workers = paths.map(async (path) => {
    for (let usageLimit = 1; !isOver; usageLimit = (usageLimit % 1000) + 1) {
      await put(agent, url + path, authorization, JSON.stringify({ usageLimit: usageLimit + 1 }));
      count += isCounting ? 1 : 0;
    }
  });
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  isCounting = true;
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  const perSecond = count / ((performance.now() - began) / 1000);
  isOver = true;
  await Promise.all(workers);
  agent.destroy();
  return perSecond;
}

function put(agent, url, authorization, body) {
  return new Promise((resolve, reject) => {
    const headers = { authorization, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sending = request(url, { method: 'PUT', agent, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`PUT: ${answer.statusCode}`))));
    });
    sending.on('error', reject);
    sending.end(body);
  });
}

function print(measured) {
  const rows = ['key', 'session'].flatMap((kind) => {
    const [before, now] = [measured[0], measured.at(-1)].map(({ rounds }) => rounds[kind]);
    const ratios = now.map((value, round) => value / before[round]);
    return [
      [
        kind,
        Math.round(median(before)),
        Math.round(median(now)),
        median(ratios).toFixed(2),
        ratios.map((ratio) => ratio.toFixed(2)).join(' '),
        `>= ${TO_REACH}`,
      ],
    ];
  });
  printTable(['written with', 'before, a second', 'now, a second', 'now / before', 'in each round', 'to reach'], rows);
}
