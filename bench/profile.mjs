// Shows where the time of a decision goes: `npm run bench:profile`. It puts forward auth (or, with --route, a route
// that keys can open) under load and samples its processor time. It adds up the samples by module and by function.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { MAIN, makeDatabase } from './databases.mjs';
import { putUnderLoad } from './load.mjs';
import { startProcess } from './processes.mjs';
import { printTable } from './table.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    engine: { type: 'string', default: 'mysql' },
    route: { type: 'boolean', default: false },
    keys: { type: 'string', default: '1000' },
    endpoints: { type: 'string', default: '50' },
    functions: { type: 'string', default: '40' },
    save: { type: 'string' },
  },
});
const ROUTES = fileURLToPath(new URL('servers/latchkey-routes.mjs', import.meta.url));
const HOOK = new URL('servers/profiled.mjs', import.meta.url).href;
const ROOT = new URL('../', import.meta.url).href;

const folder = mkdtempSync(join(tmpdir(), 'latchkey-profile-'));
try {
  const file = values.save ?? join(folder, 'decision.cpuprofile');
  const database = await makeDatabase(folder, values.engine, 'profile', {
    keys: Number(values.keys),
    inUse: Math.min(Number(values.keys), 10_000),
    endpoints: Number(values.endpoints),
    route: values.route,
  });
  const server = await startProcess(
    values.route ? ROUTES : MAIN,
    { DATABASE_URL: database.url, PROFILE_FILE: file, LOG_LEVEL: 'warn' },
    join(folder, 'server.log'),
    ['--import', HOOK],
  );
  const target = { url: server.url, requests: values.route ? database.guarded : database.forwardAuth };
  await putUnderLoad(target, { seconds: 3, connections: 64 });
  process.kill(server.pid, 'SIGWINCH');
  const load = await putUnderLoad(target, { seconds: Number(values.seconds), connections: 64 });
  process.kill(server.pid, 'SIGWINCH');
  while (!existsSync(file) || readFileSync(file).length === 0) {
    await sleep(100);
  }
  await sleep(500);
  await server.stop();
  await database.drop();
  show(JSON.parse(readFileSync(file, 'utf8')), load.requests);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function show(profile, requests) {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const byModule = new Map();
  const byFunction = new Map();
  let busy = 0;
  profile.samples.forEach((id, nth) => {
    const { functionName, url, lineNumber } = nodes.get(id).callFrame;
    const microseconds = profile.timeDeltas[nth];
    if (functionName === '(idle)') {
      return;
    }
    busy += microseconds;
    const module = moduleOf(functionName, url);
    add(byModule, module, microseconds);
    add(byFunction, `${functionName || '(anonymous)'}\t${url ? `${module}:${lineNumber + 1}` : module}`, microseconds);
  });
  const row = ([name, microseconds]) => [
    ...name.split('\t'),
    `${((100 * microseconds) / busy).toFixed(1)} %`,
    (microseconds / requests).toFixed(2),
  ];
  const most = (times) => [...times].sort(([, one], [, other]) => other - one);
  console.log(`\n${requests} requests, ${(busy / requests).toFixed(1)} µs each in JavaScript's thread\n`);
  printTable(['module', 'share', 'µs per request'], most(byModule).slice(0, 30).map(row));
  console.log();
  printTable(
    ['function', 'where', 'share', 'µs per request'],
    most(byFunction).slice(0, Number(values.functions)).map(row),
  );
}

function add(times, name, microseconds) {
  times.set(name, (times.get(name) ?? 0) + microseconds);
}

/** Returns the module of a function: a package, a file of Latchkey, or Node. */
function moduleOf(functionName, url) {
  if (functionName === '(garbage collector)') {
    return 'garbage collector';
  }
  if (url === '' || functionName === '(program)') {
    return 'machine code of Node';
  }
  if (url.startsWith('node:')) {
    return url;
  }
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(url);
  if (inPackage) {
    return inPackage[1];
  }
  const full = url.startsWith('file:') ? url : pathToFileURL(url).href;
  return full.startsWith(ROOT) ? full.slice(ROOT.length) : full;
}
