// Fills an empty database with a demo world: `npm run seed`. It starts a server and uses its API, with a clock that
// runs through two months in a minute. Two runs on the same day create the same data, except ids and secrets.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import mysql from 'mysql2/promise';
import { readConfig } from '../dist/config/config.js';
import { engineOf, mysqlOptions, sqliteFile } from '../dist/database/data-source.js';
import { openSqlite } from '../dist/database/sqlite-driver.js';
import {
  ADMIN,
  APPLICATIONS,
  CAMPAIGNS,
  FIRST_DAY,
  KEYS,
  PASSWORD,
  SERVICES,
  USAGE_DAYS,
  USERS,
} from './seed-world.mjs';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const CLOCK = new URL('seed-clock.mjs', import.meta.url).href;
const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** How often admins sign in again, in days. Their sessions last slightly longer. */
const SESSION_DAYS = 6;
const REQUESTS_AT_ONCE = 8;

if (existsSync('.env')) {
  process.loadEnvFile();
}
const config = readConfig(process.env);
if (!(await isEmpty())) {
  console.error(
    'The database of DATABASE_URL already has tables, and `npm run seed` fills an empty database only. Name another one:\n' +
      'DATABASE_URL=sqlite:./data/demo.sqlite npm run seed',
  );
  process.exit(1);
}

async function isEmpty() {
  if (engineOf(config) === 'mysql') {
    const connection = await mysql.createConnection(mysqlOptions(config));
    const [tables] = await connection.query('SHOW TABLES');
    await connection.end();
    return tables.length === 0;
  }
  if (!existsSync(sqliteFile(config))) {
    return true;
  }
  const database = openSqlite(sqliteFile(config), { readonly: true });
  const tables = database.prepare('SELECT name FROM sqlite_master').all();
  database.close();
  return tables.length === 0;
}

const server = spawn(process.execPath, ['--import', CLOCK, MAIN], {
  env: {
    ...process.env,
    ...{ HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info', DECISION_WAIT_MS: '10000' },
    ...{ DATABASE_URL: config.DATABASE_URL, ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password },
    ...{ SESSION_LIFETIME_HOURS: String((SESSION_DAYS + 1) * 24), API_KEY_LIFETIME_DAYS_MAX: '' },
    SEED_DAY: String(FIRST_DAY),
  },
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
});
const ended = once(server, 'exit');

/** The address on which the server listens. */
const url = await new Promise((resolve, reject) => {
  let output = '';
  server.stdout.on('data', (chunk) => {
    output += chunk;
    const match = /listens on (http:\/\/[^\s";]+)/.exec(output);
    if (match) resolve(match[1]);
  });
  ended.then(() => reject(new Error(`the server did not start:\n${output}`)));
});

/** The state of a generator of numbers between 0 and 1, which repeat in each run (mulberry32). */
let state = 20261128;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

/** Sends a request and returns the body of the response. A refusal ends the seed. */
async function call(authorization, method, path, body) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(authorization && { authorization }),
      ...(body && !(body instanceof FormData) && { 'content-type': 'application/json' }),
    },
    body: body instanceof FormData ? body : body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${method} ${path}: ${response.status} ${text}`);
  }
  return text === '' ? undefined : JSON.parse(text);
}

let today = FIRST_DAY;

/** Moves the clock of the server to a time on a day, in UTC. On the last day it moves it to now. */
async function moveTo(day) {
  today = day;
  const now = Date.now();
  const midnight = now - (now % DAY_MS) + day * DAY_MS;
  server.send(day === 0 ? 0 : midnight + Math.floor((8 + 10 * random()) * HOUR_MS) - now);
  await once(server, 'message');
}
const dateOf = (day) => new Date(Date.now() + day * DAY_MS).toISOString();

const sessions = new Map();
/** Returns the session of a user, such as `ada`. */
async function as(name) {
  const known = sessions.get(name);
  if (known && today - known.day < SESSION_DAYS) {
    return known.authorization;
  }
  const email = `${name}@example.com`;
  const password = email === ADMIN.email ? ADMIN.password : PASSWORD;
  const { token, userId } = await call(undefined, 'POST', '/v1/sessions', { email, password });
  sessions.set(name, { authorization: `Bearer ${token}`, userId, day: today });
  return `Bearer ${token}`;
}

const applicationIds = new Map();
const campaignIds = new Map();
const userIds = new Map();
const keys = [];

async function createBasics() {
  const ada = await as('ada');
  await call(ada, 'PUT', `/v1/users/${sessions.get('ada').userId}`, { name: ADMIN.name });
  for (const { name, email, isAdmin } of USERS) {
    const { id } = await call(ada, 'POST', '/v1/users', { name, email, isAdmin, password: PASSWORD });
    userIds.set(email, id);
  }
  for (const { name, description, timezone, currency } of APPLICATIONS) {
    const { id } = await call(ada, 'POST', '/v1/applications', { name, description, timezone, currency });
    applicationIds.set(name, id);
  }
  for (const { id, ...service } of SERVICES) {
    await call(ada, 'PUT', `/v1/services/${id}`, service);
  }
  for (const campaign of CAMPAIGNS) {
    await createCampaign(await as('grace'), campaign);
  }
}

async function createCampaign(
  authorization,
  { application, name, tags, state, from, until, imported, generated, pattern },
) {
  const campaigns = `/v1/applications/${applicationIds.get(application)}/campaigns`;
  const { id } = await call(authorization, 'POST', campaigns, {
    ...{ name, state, tags, features: ['coupons'] },
    startTime: from === undefined ? undefined : dateOf(from),
    endTime: until === undefined ? undefined : dateOf(until),
  });
  campaignIds.set(application, id);
  if (imported) {
    const prefix = name.toUpperCase().replaceAll(' ', '-');
    const rows = Array.from({ length: imported }, (_, row) => {
      return `${prefix}-${String(row + 1).padStart(5, '0')},${dateOf(until ?? 200)},1`;
    });
    const form = new FormData();
    form.append('upFile', new Blob([['value,expirydate,limitval', ...rows].join('\r\n')]), 'coupons.csv');
    await call(authorization, 'POST', `${campaigns}/${id}/import_coupons`, form);
  } else {
    await call(authorization, 'POST', `${campaigns}/${id}/coupons`, {
      ...{ usageLimit: 1, numberOfCoupons: generated, couponPattern: pattern },
      validCharacters: [...'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'],
    });
  }
}

async function createKey(key) {
  const { id, key: secret } = await call(await as(key.creator), 'POST', '/v1/api_keys', {
    name: key.name,
    expiryDate: dateOf(key.expires),
    allowedApplicationIds: key.applications.map((name) => applicationIds.get(name)),
    endpoints: key.endpoints.map(([method, path, service]) => ({ method, path, service })),
  });
  keys.push({ ...key, id, secret });
}

async function changeUser({ email, later: { change } }) {
  const path = `/v1/users/${userIds.get(email)}`;
  const ada = await as('ada');
  if (change === 'deleted') {
    await call(ada, 'DELETE', path);
  } else {
    await call(ada, 'PUT', path, change === 'demoted' ? { isAdmin: false } : { state: change });
  }
}

/** Requests the decisions of one day. A gateway requests them, so its own key is used as well. */
async function useKeys() {
  const gateway = `ManagementKey-v1 ${keys.find(({ name }) => name === 'Gateway').secret}`;
  const requests = keys.flatMap((key) => {
    const isWorkday = new Date(Date.now() + today * DAY_MS).getUTCDay() % 6 !== 0;
    // Programs whose key no longer works try less often.
    const share = today >= key.expires || (key.deletedOn ?? 0) < today ? 0.2 : isWorkday ? 1 : 0.4;
    const count = Math.round(key.perDay * share * (0.5 + random()));
    return Array.from({ length: count }, () => requestOf(key));
  });
  for (let start = 0; start < requests.length; start += REQUESTS_AT_ONCE) {
    const some = requests.slice(start, start + REQUESTS_AT_ONCE);
    await Promise.all(some.map((request) => call(gateway, 'POST', '/v1/verifications', request)));
  }
  return requests.length;
}

/** Returns a request of a program. Some requests are for endpoints that its key does not open. */
function requestOf({ secret, endpoints, applications }) {
  const [method, template, service] = endpoints[Math.floor(random() * endpoints.length)];
  const names = applications.length > 0 ? applications : ['Shop Europe', 'Shop US', 'Outlet'];
  const application = names[Math.floor(random() * names.length)];
  const path = template
    .replace('{applicationId}', applicationIds.get(application))
    .replace('{campaignId}', campaignIds.get(application) ?? 1)
    .replace(/\{\w+\}/, String(1000 + Math.floor(random() * 9000)));
  return { key: secret, service, path, method: random() < 0.03 ? 'DELETE' : method };
}

async function seed() {
  let requests = 0;
  for (let day = FIRST_DAY; day <= 0; day += 1) {
    await moveTo(day);
    if (day === FIRST_DAY) {
      await createBasics();
    }
    for (const key of KEYS.filter(({ created }) => created === day)) {
      await createKey(key);
    }
    for (const user of USERS.filter(({ later }) => later?.day === day)) {
      await changeUser(user);
    }
    for (const { name } of APPLICATIONS.filter(({ deletedOn }) => deletedOn === day)) {
      await call(await as('ada'), 'DELETE', `/v1/applications/${applicationIds.get(name)}`);
    }
    for (const { id } of keys.filter(({ deletedOn }) => deletedOn === day)) {
      await call(await as('ada'), 'DELETE', `/v1/api_keys/${id}`);
    }
    if (day > -USAGE_DAYS) {
      requests += await useKeys();
    }
  }
  const { secret } = keys.find(({ name }) => name === 'Campaign dashboard');
  console.log(
    [
      `Created ${USERS.length + 1} users, ${APPLICATIONS.length} Applications, ${SERVICES.length} services, ` +
        `${CAMPAIGNS.length} campaigns, ${keys.length} keys and ${requests} requests in ${USAGE_DAYS} days.`,
      `Sign in at /docs as ${ADMIN.email} with the password "${ADMIN.password}". All others have "${PASSWORD}".`,
      `A key that works: ${secret} (GET /v1/applications/{applicationId}/campaigns).`,
    ].join('\n'),
  );
}

try {
  await seed();
} catch (error) {
  console.error(`The seed stopped, and the database is incomplete: ${error.message}`);
  process.exitCode = 1;
} finally {
  server.kill('SIGTERM');
  await ended;
}
