// Compares the decisions per second of this build with those of another build, in turn:
//   npm run build && node bench/decisions.mjs --before <checkout of another commit, built>
// Each build has its own database, created by its own bench. With TEST_MYSQL_URL it also measures on MySQL. Each round
// starts both servers anew. Then short slices of load alternate between them, so that a slow minute of the machine
// slows both.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { putUnderLoad } from './load.mjs';
import { median } from './median.mjs';
import { startProcess } from './processes.mjs';
import { printTable } from './table.mjs';

const { values } = parseArgs({
  options: {
    before: { type: 'string' },
    connections: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    slices: { type: 'string', default: '15' },
    engines: { type: 'string', default: process.env.TEST_MYSQL_URL ? 'sqlite,mysql' : 'sqlite' },
  },
});
if (!values.before) {
  throw new Error('Name the checkout to compare with: --before <folder>.');
}
const load = { seconds: Number(values.seconds), connections: Number(values.connections) };
const SIZE = { keys: 1000, endpoints: 50, route: true };
const LOADS = { 'forward auth': 'forwardAuth', 'guarded route': 'guarded' };
const checkouts = { before: resolve(values.before), now: fileURLToPath(new URL('..', import.meta.url)) };
const folder = mkdtempSync(join(tmpdir(), 'latchkey-decisions-'));

try {
  const rows = [];
  for (const engine of values.engines.split(',')) {
    rows.push(...(await compareOn(engine)));
  }
  const columns = ['requests/s before', 'now', 'now / before', 'CPU µs each before', 'now', 'before / now'];
  printTable(['engine', 'load', ...columns], rows);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compareOn(engine) {
  const builds = {};
  for (const [name, checkout] of Object.entries(checkouts)) {
    builds[name] = await prepare(engine, name, checkout);
  }
  const measured = Object.fromEntries(Object.keys(LOADS).map((title) => [title, { before: [], now: [] }]));
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const servers = {};
    for (const [name, { environment, server }] of Object.entries(builds)) {
      servers[name] = await startProcess(server, environment, join(folder, `${name}.log`));
    }
    for (const [title, file] of Object.entries(LOADS)) {
      for (const [name, { database }] of Object.entries(builds)) {
        await putUnderLoad({ url: servers[name].url, requests: database[file] }, { ...load, seconds: 3 });
      }
      for (let slice = 0; slice < Number(values.slices); slice += 1) {
        // The order changes, so that neither build always has the other's traces in the processor's caches.
        for (const name of slice % 2 ? ['now', 'before'] : ['before', 'now']) {
          const target = { url: servers[name].url, requests: builds[name].database[file] };
          measured[title][name].push(await measure(servers[name], target));
        }
      }
    }
    await Promise.all(Object.values(servers).map((server) => server.stop()));
  }
  await Promise.all(Object.values(builds).map(({ database }) => database.drop()));
  return Object.entries(measured).map(([title, slices]) => rowOf(engine, title, slices));
}

async function measure(server, target) {
  const cpuBefore = server.cpuSeconds();
  const { perSecond, requests } = await putUnderLoad(target, load);
  return { perSecond, cpuMicroseconds: (1e6 * (server.cpuSeconds() - cpuBefore)) / requests };
}

async function prepare(engine, name, checkout) {
  const own = join(folder, `${engine}-${name}`);
  mkdirSync(own);
  const { makeDatabase } = await import(pathToFileURL(join(checkout, 'bench/databases.mjs')).href);
  const database = await makeDatabase(own, engine, `decisions_${name}`, SIZE);
  return {
    database,
    environment: { DATABASE_URL: database.url, LOG_LEVEL: 'warn' },
    server: join(checkout, 'bench/servers/latchkey-routes.mjs'),
  };
}

function rowOf(engine, title, { before, now }) {
  const column = (slices, figure) => slices.map((slice) => slice[figure]);
  const ratios = now.map(({ perSecond }, nth) => perSecond / before[nth].perSecond).sort((a, b) => a - b);
  const [low, high] = [0.25, 0.75].map((share) => ratios[Math.floor(share * ratios.length)].toFixed(2));
  const cpu = [before, now].map((slices) => median(column(slices, 'cpuMicroseconds')));
  return [
    engine,
    title,
    Math.round(median(column(before, 'perSecond'))),
    Math.round(median(column(now, 'perSecond'))),
    `${median(ratios).toFixed(2)} (half within ${low} to ${high})`,
    Math.round(cpu[0]),
    Math.round(cpu[1]),
    (cpu[0] / cpu[1]).toFixed(2),
  ];
}
