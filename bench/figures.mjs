// The measurements and their goals.
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { figure, measureInTurn, ratioFigure, summarise } from './compare.mjs';
import { MAIN, makeDatabase, openMysql, writePeerRequests } from './databases.mjs';
import { readRequests } from './load.mjs';
import { startProcess } from './processes.mjs';
import { measureStart } from './start.mjs';

const ROUTES = path('servers/latchkey-routes.mjs');
const NEST = path('peers/nest-unguarded.mjs');
const NODE = path('peers/node-http.mjs');
const BETTER_AUTH = path('peers/better-auth.mjs');

/** All measurements, in their order. Each returns `{ measured, figures }`. */
export const FIGURES = [
  { name: 'forward auth beside others', measure: measureForwardAuth },
  { name: 'routes on MySQL', measure: (settings) => measureRoutes(settings, 'mysql', 0.8) },
  { name: 'routes on SQLite', measure: (settings) => measureRoutes(settings, 'sqlite', 0.85) },
  { name: 'usage', measure: measureUsage },
  { name: 'sizes: catalogue and grants', measure: measureCatalogue },
  { name: 'sizes: keys', measure: measureKeys },
  { name: 'start', measure: measureStart },
];

async function measureForwardAuth(settings) {
  const { folder } = settings;
  const database = await makeDatabase(folder, 'mysql', 'forward_auth', { keys: 1000 });
  const latchkey = await startLatchkey(folder, database);
  const [question] = readRequests(database.forwardAuth);
  const answer = await ask(latchkey.url, question);
  const nest = await startNestOfSize(folder, answer.bytes, question);
  const bare = await startProcess(
    NODE,
    { ANSWER_HEADERS: JSON.stringify(withoutNodesOwn(answer.headers)) },
    join(folder, 'node-http.log'),
  );

  const peerDatabase = await openMysql('better_auth');
  const keyFile = join(folder, 'better-auth.keys');
  const peer = await startProcess(
    BETTER_AUTH,
    { DATABASE_URL: peerDatabase.url, KEYS: '1000', KEY_FILE: keyFile, POOL_SIZE: '10' },
    join(folder, 'better-auth.log'),
  );
  const peerRequests = join(folder, 'better-auth.requests');
  writePeerRequests(peerRequests, readFileSync(keyFile, 'utf8').split('\n'));

  const before = await countersOf(latchkey.url);
  const [decisions, answers, verified, nothing] = await measureInTurn(
    [
      { name: 'forward auth', server: latchkey, requests: database.forwardAuth, statements: database.statements },
      { name: 'unguarded Nest route', server: nest, requests: database.forwardAuth },
      { name: 'Better Auth', server: peer, requests: peerRequests },
      { name: 'node:http', server: bare, requests: database.forwardAuth },
    ],
    settings,
  );
  const after = await countersOf(latchkey.url);
  await Promise.all([latchkey, nest, peer, bare].map((server) => server.stop()));
  await database.drop();
  await peerDatabase.drop();
  return {
    measured: [
      summarise('forward auth, 1,000 keys, MySQL', decisions),
      summarise(`Nest route that nothing guards, same answer size (${answer.bytes} bytes)`, answers),
      summarise("Better Auth's verifyApiKey, 1,000 keys, MySQL, node:http", verified),
      summarise('node:http that looks at nothing and gives the same answer', nothing),
    ],
    figures: [
      ratioFigure("forward auth / Better Auth's verifyApiKey", 'perSecond', decisions, verified, { atLeast: 10 }),
      ratioFigure('forward auth / unguarded Nest route', 'perSecond', decisions, answers, { atLeast: 1.3 }),
      ratioFigure('p99 of forward auth / p99 of the unguarded Nest route', 'p99Ms', decisions, answers, { atMost: 1 }),
      figure(
        'statements for decisions, per decision (from /metrics)',
        [(after.statements - before.statements) / (after.decisions - before.decisions)],
        { atMost: 0.1 },
      ),
      figure(
        'statements of any kind, usage included, per decision (as MySQL counts them)',
        decisions.map((round) => round.statementsPerRequest),
        { atMost: 0.1 },
      ),
    ],
  };
}

async function measureRoutes(settings, engine, atLeast) {
  const { folder } = settings;
  const database = await makeDatabase(folder, engine, `routes_${engine}`, { keys: 1000, route: true });
  // Without a log line per request, which would cost both routes the same and hide the difference between them.
  const server = await startProcess(
    ROUTES,
    { DATABASE_URL: database.url, LOG_LEVEL: 'warn' },
    join(folder, `routes-${engine}.log`),
  );
  const [guarded, unguarded] = await measureInTurn(
    [
      { name: 'guarded', server, requests: database.guarded },
      { name: 'unguarded', server, requests: database.unguarded },
    ],
    settings,
  );
  await server.stop();
  await database.drop();
  const title = engine === 'mysql' ? 'MySQL' : 'SQLite';
  return {
    measured: [
      summarise(`a route that keys open, ${title}`, guarded),
      summarise(`the same route, public, ${title}`, unguarded),
    ],
    figures: [ratioFigure(`guarded / unguarded route, ${title}`, 'perSecond', guarded, unguarded, { atLeast })],
  };
}

async function measureUsage(settings) {
  const { folder, rounds } = settings;
  const database = await makeDatabase(folder, 'mysql', 'usage', { keys: 1000 });
  const [counting, not] = await Promise.all(
    ['on', 'off'].map((usage) =>
      startProcess(
        ROUTES,
        { DATABASE_URL: database.url, LOG_LEVEL: 'warn', USAGE: usage },
        join(folder, `usage-${usage}.log`),
      ),
    ),
  );
  // The goal allows a loss of 3 %, which is less than the rounds differ. So there are three times as many rounds.
  const [counted, uncounted] = await measureInTurn(
    [
      { name: 'counting', server: counting, requests: database.forwardAuth },
      { name: 'not counting', server: not, requests: database.forwardAuth },
    ],
    { ...settings, rounds: rounds * 3 },
  );
  await Promise.all([counting.stop(), not.stop()]);
  await database.drop();
  return {
    measured: [summarise('forward auth, counting usage', counted), summarise('forward auth, not counting', uncounted)],
    figures: [ratioFigure('counting usage / not counting', 'perSecond', counted, uncounted, { atLeast: 0.97 })],
  };
}

async function measureCatalogue(settings) {
  const few = { name: '50 endpoints, 1 grant', size: { keys: 1000, endpoints: 50 } };
  const many = { name: '5,000 endpoints, 1 grant', size: { keys: 1000, endpoints: 5000 } };
  const granted = { name: '5,000 endpoints, 500 grants', size: { keys: 1000, endpoints: 5000, grants: 500 } };
  const { measured, rounds } = await measureSizes(settings, [few, many, granted]);
  return {
    measured,
    figures: [
      ratioFigure('5,000 / 50 endpoints in the catalogue', 'perSecond', rounds[1], rounds[0], { atLeast: 0.95 }),
      ratioFigure('a key with 500 grants / with 1', 'perSecond', rounds[2], rounds[1], { atLeast: 0.95 }),
    ],
  };
}

async function measureKeys(settings) {
  const { folder, keys } = settings;
  const count = keys.toLocaleString('en');
  const few = await makeDatabase(folder, 'mysql', 'keys_few', { keys: 100 });
  const many = await makeDatabase(folder, 'mysql', 'keys_many', { keys, inUse: 10_000 });
  const ofHundred = join(folder, 'keys_many.100.requests');
  const lines = readFileSync(many.forwardAuth, 'utf8').trimEnd().split('\n');
  writeFileSync(ofHundred, `${lines.filter((_, nth) => nth % (lines.length / 100) === 0).join('\n')}\n`);
  const [serverOfFew, serverOfMany] = [await startLatchkey(folder, few), await startLatchkey(folder, many)];
  const targets = [
    { name: '100 keys', server: serverOfFew, requests: few.forwardAuth },
    { name: `${count} keys, 100 of them in use`, server: serverOfMany, requests: ofHundred },
    { name: `${count} keys, 10,000 of them in use`, server: serverOfMany, requests: many.forwardAuth },
  ];
  const rounds = await measureInTurn(targets, settings);
  await Promise.all([serverOfFew.stop(), serverOfMany.stop()]);
  await few.drop();
  await many.drop();
  return {
    measured: targets.map(({ name }, nth) => summarise(`forward auth, ${name}`, rounds[nth])),
    figures: [
      ratioFigure(`${count} / 100 keys`, 'perSecond', rounds[1], rounds[0], { atLeast: 0.95 }),
      ratioFigure(`${count} keys, 10,000 in use / 100 keys`, 'perSecond', rounds[2], rounds[0], { atLeast: 0.95 }),
    ],
  };
}

/** Compares forward auth on MySQL with databases of different sizes. */
async function measureSizes(settings, variants) {
  const { folder } = settings;
  const targets = [];
  for (const [nth, { name, size }] of variants.entries()) {
    const database = await makeDatabase(folder, 'mysql', `size_${nth}`, size);
    targets.push({ name, database, server: await startLatchkey(folder, database), requests: database.forwardAuth });
  }
  const rounds = await measureInTurn(targets, settings);
  for (const { server, database } of targets) {
    await server.stop();
    await database.drop();
  }
  return { rounds, measured: targets.map(({ name }, nth) => summarise(`forward auth, ${name}`, rounds[nth])) };
}

function startLatchkey(folder, database) {
  return startProcess(MAIN, { DATABASE_URL: database.url }, join(folder, `latchkey-${Date.now()}.log`));
}

/** Starts a Nest application whose one route sends responses of this many bytes, headers included. */
async function startNestOfSize(folder, bytes, question) {
  const start = (bodyBytes) =>
    startProcess(NEST, { BODY_BYTES: String(bodyBytes) }, join(folder, `nest-${bodyBytes}.log`));
  const guess = 100;
  const first = await start(guess);
  const answer = await ask(first.url, question);
  await first.stop();
  return start(guess + bytes - answer.bytes);
}

/** Sends a request. Returns the headers of the response and its size in bytes, headers included. */
function ask(url, { method, path: target, headers }) {
  return new Promise((resolve, reject) => {
    const asked = request(url + target, { method, headers, agent: false }, (response) => {
      if (response.statusCode !== 200) {
        reject(new Error(`${url}${target} answered ${response.statusCode}`));
      }
      const { socket } = response;
      response.resume();
      response.on('end', () => resolve({ bytes: socket.bytesRead, headers: response.rawHeaders }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

function withoutNodesOwn(rawHeaders) {
  return rawHeaders.filter((_, nth) => !['Date', 'Connection', 'Keep-Alive'].includes(rawHeaders[nth - (nth % 2)]));
}

/** Returns the counters of a server, from its metrics. */
async function countersOf(url) {
  const text = await (await fetch(`${url}/metrics`)).text();
  const sum = (pattern) => [...text.matchAll(pattern)].reduce((total, [, amount]) => total + Number(amount), 0);
  return {
    decisions: sum(/^latchkey_decisions_total\{.*\} (\S+)$/gm),
    statements: sum(/^latchkey_key_reader_batch_size_count(?:\{.*\})? (\S+)$/gm),
  };
}

function path(relative) {
  return fileURLToPath(new URL(relative, import.meta.url));
}
