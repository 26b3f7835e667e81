// Measures how much one caller who searches coupons as hard as possible slows down forward auth:
//   npm run build && node bench/fair-shares.mjs [--coupons 300000] [--searches 128] [--seconds 10] [--rounds 3]
// It measures on SQLite, and on MySQL if TEST_MYSQL_URL names a server. `--before <dist/main.js of another build>` also
// measures that build, in turn with this one, on the same database.
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { MAIN, openMysql } from './databases.mjs';
import { median } from './median.mjs';
import { startProcess } from './processes.mjs';
import { startSearching } from './searching.mjs';
import { printTable } from './table.mjs';

const ADMIN = { ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'a password for the bench' };
/** The pause between the response to a decision and the next request, in milliseconds. */
const PAUSE_MS = 5;
/** How long the load runs before the measurement starts, in milliseconds. */
const WARM_UP_MS = 2000;
const TO_REACH = { sqlite: 10, mysql: 3 };

const { values } = parseArgs({
  options: {
    coupons: { type: 'string', default: '300000' },
    searches: { type: 'string', default: '128' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    before: { type: 'string' },
  },
});
const [COUPONS, SEARCHES, SECONDS, ROUNDS] = ['coupons', 'searches', 'seconds', 'rounds'].map((name) =>
  Number(values[name]),
);
const BUILDS = [...(values.before ? [['before', values.before]] : []), ['this build', MAIN]];
const folder = mkdtempSync(join(tmpdir(), 'latchkey-fair-'));

try {
  for (const engine of process.env.TEST_MYSQL_URL ? ['sqlite', 'mysql'] : ['sqlite']) {
    await measure(engine);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(engine) {
  const database = engine === 'mysql' ? await openMysql('fair_shares') : undefined;
  const environment = {
    DATABASE_URL: database?.url ?? `sqlite:${join(folder, 'fair-shares.sqlite')}`,
    LOG_LEVEL: 'warn',
    UPLOAD_BYTES_MAX: String(2 ** 30),
    ...ADMIN,
  };
  const world = await fill(engine, environment);
  const measured = BUILDS.map(([name, main]) => ({ name, main, rounds: [] }));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { main, rounds } of measured) {
      const server = await startProcess(main, environment, join(folder, `${engine}.log`));
      rounds.push(await measureRound(server, world));
      await server.stop();
    }
  }
  await database?.drop();
  print(engine, measured);
}

/** Imports the coupons, and creates a key that may list them. */
async function fill(engine, environment) {
  console.error(`${engine}: importing ${COUPONS} coupons`);
  const server = await startProcess(MAIN, environment, join(folder, `${engine}.set-up.log`));
  const post = async (path, body, headers) => {
    const answer = await fetch(server.url + path, { method: 'POST', headers, body, duplex: 'half' });
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`POST ${path}: ${text}`);
    }
    return JSON.parse(text);
  };
  const json = { 'content-type': 'application/json' };
  const session = JSON.stringify({ email: ADMIN.ADMIN_EMAIL, password: ADMIN.ADMIN_PASSWORD });
  const { token } = await post('/v1/sessions', session, json);
  const authorization = { authorization: `Bearer ${token}` };
  const create = (path, body) => post(path, JSON.stringify(body), { ...json, ...authorization });
  const application = await create('/v1/applications', { name: 'Shop', timezone: 'UTC', currency: 'EUR' });
  const campaigns = `/v1/applications/${application.id}/campaigns`;
  const campaign = `${campaigns}/${(await create(campaigns, { name: 'Large' })).id}`;
  await post(`${campaign}/import_coupons`, Readable.from(form(COUPONS)), {
    ...authorization,
    'content-type': 'multipart/form-data; boundary=X',
  });
  const template = '/v1/applications/{applicationId}/campaigns/{campaignId}/coupons/no_total';
  const { key } = await create('/v1/api_keys', {
    name: 'Bench',
    expiryDate: new Date(Date.now() + 24 * 60 * 60 * 1000).toISOString(),
    endpoints: [{ method: 'GET', path: template }],
  });
  await server.stop();
  return { authorization: `ManagementKey-v1 ${key}`, path: `${campaign}/coupons/no_total` };
}

function* form(rows) {
  let text = '--X\r\nContent-Disposition: form-data; name="upFile"; filename="coupons.csv"\r\n\r\n';
  text += 'value\n';
  for (let nth = 0; nth < rows; nth += 1) {
    text += `${((nth * 2654435761) % 2 ** 32).toString(36).toUpperCase().padStart(7, '0')}-${nth}\n`;
    if (text.length > 65_536) {
      yield Buffer.from(text);
      text = '';
    }
  }
  yield Buffer.from(`${text}\r\n--X--\r\n`);
}

/**
 * Times decisions, first without other requests, and then while another caller searches for coupons that do not exist.
 */
async function measureRound({ url }, { authorization, path }) {
  await timeDecisions(url, authorization, path, 2);
  const idle = await timeDecisions(url, authorization, path, SECONDS);
  const searching = await startSearching({
    url: `${url}${path}?value=nowhere`,
    authorization,
    connections: SEARCHES,
  });
  await sleep(WARM_UP_MS);
  const loaded = await timeDecisions(url, authorization, path, SECONDS);
  return { idle, loaded, refused: await searching.stop() };
}

/**
 * Returns the durations of decisions of forward auth in milliseconds. They run one after the other on one connection.
 */
async function timeDecisions(url, authorization, path, seconds) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const headers = { authorization, 'x-original-method': 'GET', 'x-original-uri': path };
  const ask = () =>
    new Promise((resolve, reject) => {
      const began = performance.now();
      request(`${url}/v1/forward_auth/original/management`, { agent, headers }, (response) => {
        response.resume();
        response.on('end', () => resolve({ ms: performance.now() - began, status: response.statusCode }));
      })
        .on('error', reject)
        .end();
    });
  const answers = [];
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(PAUSE_MS)) {
    answers.push(await ask());
  }
  agent.destroy();
  const times = answers.map(({ ms }) => ms).sort((one, other) => one - other);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))];
  const late = answers.filter(({ status }) => status !== 200).length;
  return { p50: at(0.5), p99: at(0.99), max: times.at(-1), late };
}

function print(engine, measured) {
  console.log(`\n## ${engine === 'mysql' ? 'MySQL' : 'SQLite'}: ${SEARCHES} searches among ${COUPONS} coupons\n`);
  const rows = measured.flatMap(({ name, rounds }) =>
    ['idle', 'loaded'].map((when) => {
      const of = (field) => median(rounds.map((round) => round[when][field])).toFixed(2);
      const late = rounds.reduce((sum, round) => sum + round[when].late, 0);
      return [name, when === 'idle' ? 'idle' : 'searches', of('p50'), of('p99'), of('max'), late];
    }),
  );
  printTable(['build', 'beside', 'p50 ms', 'p99 ms', 'max ms', 'not 200'], rows);
  console.log('');
  printTable(
    ['build', 'p99 beside searches / idle', 'to reach', 'in each round', 'searches refused'],
    measured.map(({ name, rounds }) => {
      const ratios = rounds.map(({ idle, loaded }) => loaded.p99 / idle.p99);
      const codes = rounds.flatMap((round) => round.refused);
      const refused = codes.length === 0 ? 0 : `${codes.length} (${[...new Set(codes)].join(', ')})`;
      const each = ratios.map((ratio) => ratio.toFixed(1)).join(' ');
      return [name, median(ratios).toFixed(1), `<= ${TO_REACH[engine]}`, each, refused];
    }),
  );
}
