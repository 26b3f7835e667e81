// Measures whether a million coupons and a million entries of the audit log are as fast to work with as a thousand:
//   npm run build && node bench/scale.mjs [--rows 1000000] [--rounds 31]
// It measures on SQLite, and on MySQL if TEST_MYSQL_URL names a server. The small and the large database get requests
// in turn, so that other load on the machine affects both alike.
import { request } from 'node:http';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import mysql from 'mysql2/promise';
import { openSqlite } from '../dist/database/sqlite-driver.js';
import { MAIN, openMysql } from './databases.mjs';
import { median } from './median.mjs';
import { startProcess } from './processes.mjs';
import { printTable } from './table.mjs';

const ADMIN = { ADMIN_EMAIL: 'admin@example.com', ADMIN_PASSWORD: 'a password for the bench' };
const SMALL = 1000;

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, rounds: { type: 'string', default: '31' } },
});
const LARGE = Number(values.rows);
const ROUNDS = Number(values.rounds);
const folder = mkdtempSync(join(tmpdir(), 'latchkey-scale-'));

try {
  await measure('sqlite');
  if (process.env.TEST_MYSQL_URL) {
    await measure('mysql');
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(engine) {
  const small = await fill(engine, SMALL);
  const large = await fill(engine, LARGE);
  console.log(`\n## ${engine === 'mysql' ? 'MySQL' : 'SQLite'}\n`);
  await compareReading(small, large);
  await showMemory(small, large);
  await showDeletion(large);
  for (const { server, database } of [small, large]) {
    await server.stop();
    await database?.drop();
  }
}

/** Starts a server with `rows` coupons in one campaign, and `rows` entries in its audit log. */
async function fill(engine, rows) {
  console.error(`${engine}: ${rows} coupons and entries`);
  const database = engine === 'mysql' ? await openMysql(`scale_${rows}`) : undefined;
  const url = database?.url ?? `sqlite:${join(folder, `${rows}.sqlite`)}`;
  const environment = { DATABASE_URL: url, LOG_LEVEL: 'warn', UPLOAD_BYTES_MAX: String(2 ** 30), ...ADMIN };
  const server = await startProcess(MAIN, environment, join(folder, `${engine}.${rows}.log`));
  const { call, headers } = await signIn(server.url);
  const application = await call('POST', '/v1/applications', { name: 'Shop', timezone: 'UTC', currency: 'EUR' });
  const campaigns = `/v1/applications/${application.id}/campaigns`;
  const campaign = await call('POST', campaigns, { name: 'Large' });
  const other = await call('POST', campaigns, { name: 'Other' });
  const place = { campaigns, campaign: `${campaigns}/${campaign.id}`, other: `${campaigns}/${other.id}` };

  const idle = peakMegabytes(server, { from: 'now' });
  const started = performance.now();
  const answer = await fetch(`${server.url}${place.campaign}/import_coupons`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'multipart/form-data; boundary=X' },
    body: Readable.from(form(rows)),
    duplex: 'half',
  });
  const { amount } = await answer.json();
  if (amount !== rows) {
    throw new Error(`imported ${amount} of ${rows}`);
  }
  const imported = { seconds: (performance.now() - started) / 1000, megabytes: peakMegabytes(server) - idle };
  await writeTrail(engine, url, rows);
  return { rows, server, database, call, headers, place, application: application.id, imported };
}

async function signIn(url) {
  const session = await fetch(`${url}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: ADMIN.ADMIN_EMAIL, password: ADMIN.ADMIN_PASSWORD }),
  });
  const headers = { authorization: `Bearer ${(await session.json()).token}` };
  const call = async (method, path, body) => {
    const answer = await fetch(url + path, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`${method} ${path}: ${text}`);
    }
    return text === '' ? undefined : JSON.parse(text);
  };
  return { headers, call };
}

/** Returns the code of the nth coupon. The codes are in no order, like real codes. */
function code(nth) {
  return `${((nth * 2654435761) % 2 ** 32).toString(36).toUpperCase().padStart(7, '0')}-${nth}`;
}

function* form(rows) {
  let text = '--X\r\nContent-Disposition: form-data; name="upFile"; filename="coupons.csv"\r\n\r\n';
  text += 'value,expirydate,recipientintegrationid,limitval\n';
  for (let nth = 0; nth < rows; nth += 1) {
    text += `${code(nth)},2099-01-01T00:00:00Z,customer-${nth},1\n`;
    if (text.length > 65_536) {
      yield Buffer.from(text);
      text = '';
    }
  }
  yield Buffer.from(`${text}\r\n--X--\r\n`);
}

/** Adds entries to the audit log: one per second, by a hundred users in turn. */
async function writeTrail(engine, url, rows) {
  const numbers = `WITH RECURSIVE numbers (nth) AS (SELECT 1 UNION ALL SELECT nth + 1 FROM numbers WHERE nth < ${rows})`;
  const columns = 'changes (created, user_id, application_id, entity, management_key_id, hidden_from_keys, old, new)';
  const path = engine === 'mysql' ? "CONCAT('PUT /v1/things/', nth)" : "'PUT /v1/things/' || nth";
  const picked = `SELECT ${Date.now()} - 2000000000 + nth * 1000, 1 + nth % 100, 1, ${path}, NULL, 0, '{"name":"a"}', '{"name":"b"}' FROM numbers`;
  if (engine === 'sqlite') {
    const database = openSqlite(url.replace('sqlite:', ''));
    database.exec(`INSERT INTO ${columns} ${numbers} ${picked}`);
    database.close();
    return;
  }
  const connection = await mysql.createConnection(url);
  await connection.query(`SET SESSION cte_max_recursion_depth = ${rows + 1}`);
  await connection.query(`INSERT INTO ${columns} ${numbers} ${picked}`);
  await connection.end();
}

/**
 * Returns the milliseconds until the whole response has arrived. With `firstBytes`, it only waits for the first bytes.
 */
async function time({ server, headers }, path, firstBytes = false) {
  const asking = new AbortController();
  const started = performance.now();
  const answer = await fetch(server.url + path, { headers, signal: asking.signal });
  if (!answer.ok) {
    throw new Error(`${path}: ${await answer.text()}`);
  }
  if (firstBytes) {
    await answer.body.getReader().read();
  } else {
    await answer.arrayBuffer();
  }
  const milliseconds = performance.now() - started;
  asking.abort();
  return milliseconds;
}

async function compareReading(...both) {
  const list = ({ place }) => `${place.campaign}/coupons/no_total`;
  const WAYS = [
    ['a page of the coupons', (of) => list(of)],
    ['the newest page', (of) => `${list(of)}?sort=-id`],
    ['one coupon by its code', (of) => `${list(of)}?exactMatch=true&value=${code(of.rows >> 1)}`],
    ['the coupons of a recipient', (of) => `${list(of)}?recipientIntegrationId=customer-${of.rows >> 1}`],
    ['a page of those that are valid', (of) => `${list(of)}?valid=validNow`],
    ['expired ones, of which there are none', (of) => `${list(of)}?valid=expired`],
    ['those with a part of a code that none has', (of) => `${list(of)}?value=nowhere`],
    ['the last page, oldest first', (of) => `${list(of)}?skip=${of.rows - 50}`],
    ['the first bytes of an export', (of) => `/v1/applications/${of.application}/export_coupons`, true],
    ['the first page of the audit trail', () => '/v1/changes'],
    ['its newest page', () => '/v1/changes?sort=-created'],
    ['its newest page of one user', () => '/v1/changes?sort=-created&userId=7'],
    ['a campaign', ({ place }) => place.campaign],
  ];
  const rows = [];
  for (const [name, path, firstBytes] of WAYS) {
    const times = both.map(() => []);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [nth, one] of both.entries()) {
        times[nth].push(await time(one, path(one), firstBytes));
      }
    }
    const [one, other] = times.map(median);
    rows.push([name, one.toFixed(1), other.toFixed(1), (other / one).toFixed(2)]);
  }
  const heads = both.map(({ rows: amount }) => `ms with ${amount.toLocaleString('en')}`);
  printTable([`median of ${ROUNDS}`, ...heads, 'ratio'], rows);
}

async function showMemory(...both) {
  const rows = [];
  for (const one of both) {
    const idle = peakMegabytes(one.server, { from: 'now' });
    const started = performance.now();
    const answer = await fetch(`${one.server.url}/v1/applications/${one.application}/export_coupons`, one);
    let bytes = 0;
    for await (const chunk of answer.body) {
      bytes += chunk.length;
    }
    const seconds = (performance.now() - started) / 1000;
    rows.push([
      one.rows.toLocaleString('en'),
      one.imported.seconds.toFixed(1),
      Math.round(one.imported.megabytes),
      seconds.toFixed(1),
      Math.round(peakMegabytes(one.server) - idle),
      (bytes / 2 ** 20).toFixed(1),
    ]);
  }
  console.log('');
  printTable(['coupons', 'import s', 'MB on top', 'export s', 'MB on top', 'MB exported'], rows);
}

/** Deletes most coupons by a filter, and the rest with the campaign, while others read and write. */
async function showDeletion({ server, headers, call, place, rows: amount }) {
  // `fetch` times out after five minutes.
  const remove = (path) =>
    new Promise((resolve, reject) => {
      request(server.url + path, { method: 'DELETE', headers }, (answer) => {
        answer.resume();
        return answer.statusCode === 204 ? resolve() : reject(new Error(`${path}: ${answer.statusCode}`));
      })
        .on('error', reject)
        .end();
    });
  const DELETIONS = [
    ['nothing', () => sleep(5000)],
    ['those with a 1 in their code', () => remove(`${place.campaign}/coupons?value=1`)],
    ['the campaign', () => remove(place.campaign)],
  ];
  const rows = [];
  for (const [name, begin] of DELETIONS) {
    const started = performance.now();
    let going = true;
    const done = begin().finally(() => (going = false));
    const reading = [];
    const writing = [];
    while (going) {
      const read = performance.now();
      await call('GET', place.other);
      reading.push(performance.now() - read);
      const write = performance.now();
      await call('PUT', place.other, { name: `Other ${writing.length}` });
      writing.push(performance.now() - write);
      await sleep(10);
    }
    await done;
    const worst = (times) => `${median(times).toFixed(0)} / ${Math.max(...times).toFixed(0)}`;
    rows.push([name, ((performance.now() - started) / 1000).toFixed(1), worst(reading), worst(writing)]);
  }
  console.log(`\nWhat others notice while coupons of ${amount.toLocaleString('en')} are deleted:\n`);
  printTable(['deleted', 's', 'reading ms: median / longest', 'writing ms: median / longest'], rows);
}

/** Returns the peak memory of a process since the last call with `from: 'now'`, as Linux measures it. */
function peakMegabytes({ pid }, { from } = {}) {
  if (from === 'now') {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  }
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
}
