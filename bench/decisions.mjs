// Compares the decisions per second of this build with those of another build, in turn:
//   npm run build && node bench/decisions.mjs --before <checkout of another commit, built>
// Each build has its own database, created by its own bench. With TEST_MYSQL_URL it also measures on MySQL. Requests
// per second need an idle machine. Processor time per request is nearly as reliable on a busy machine.
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
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
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
  for (const engine of ['sqlite', ...(process.env.TEST_MYSQL_URL ? ['mysql'] : [])]) {
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
  const measured = Object.values(LOADS).map(() => ({ before: [], now: [] }));
  for (let round = 0; round < Number(values.rounds); round += 1) {
    // The order changes each round, so that neither build always runs on the warmer machine.
    for (const name of round % 2 ? ['now', 'before'] : ['before', 'now']) {
      const { environment, server: script, database } = builds[name];
      const server = await startProcess(script, environment, join(folder, `${name}.log`));
      for (const [nth, file] of Object.values(LOADS).entries()) {
        const target = { url: server.url, requests: database[file] };
        await putUnderLoad(target, { ...load, seconds: 2 });
        const cpuBefore = server.cpuSeconds();
        const { perSecond, requests } = await putUnderLoad(target, load);
        const cpuMicroseconds = (1e6 * (server.cpuSeconds() - cpuBefore)) / requests;
        measured[nth][name].push({ perSecond, cpuMicroseconds });
      }
      await server.stop();
    }
  }
  await Promise.all(Object.values(builds).map(({ database }) => database.drop()));
  return Object.keys(LOADS).map((title, nth) => rowOf(engine, title, measured[nth]));
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
  const column = (measured, figure) => measured.map((round) => round[figure]);
  const ratios = now.map(({ perSecond }, nth) => perSecond / before[nth].perSecond);
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  const cpu = [before, now].map((measured) => median(column(measured, 'cpuMicroseconds')));
  return [
    engine,
    title,
    Math.round(median(column(before, 'perSecond'))),
    Math.round(median(column(now, 'perSecond'))),
    `${median(ratios).toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`,
    Math.round(cpu[0]),
    Math.round(cpu[1]),
    (cpu[0] / cpu[1]).toFixed(2),
  ];
}
