// Measures the time from the start of the process to its first decision, and the share of the frameworks in it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { figure } from './compare.mjs';
import { MAIN, makeDatabase } from './databases.mjs';
import { readRequests } from './load.mjs';
import { median } from './median.mjs';
import { cpuSecondsOf, freePort } from './processes.mjs';

const STARTS = 7;
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NEST = fileURLToPath(new URL('peers/nest-unguarded.mjs', import.meta.url));

/** Measures the start on SQLite with existing tables, as on every start but the first. */
export async function measureStart({ folder }) {
  const database = await makeDatabase(folder, 'sqlite', 'start', { keys: 1000 });
  const [question] = readRequests(database.forwardAuth);
  const imports = [...packagesOf(MAIN)].map((name) => `import '${name}';`).join('\n');
  const [latchkey, nest, framework, node, processor] = [[], [], [], [], []];
  for (let nth = 0; nth < STARTS; nth += 1) {
    node.push(await secondsUntilEnd(''));
    framework.push(await secondsUntilEnd(imports));
    nest.push((await secondsUntilAnswer(NEST, { BODY_BYTES: '0' }, question)).seconds);
    const { seconds, cpuSeconds } = await secondsUntilAnswer(MAIN, { DATABASE_URL: database.url }, question);
    latchkey.push(seconds);
    processor.push(cpuSeconds);
  }
  const whole = median(latchkey);
  const share = (seconds) => `${seconds.toFixed(2)} s (${Math.round((100 * seconds) / whole)} %)`;
  return {
    measured: [],
    figures: [figure('start of the process until its first decision, SQLite', latchkey, { atMost: 1.5, unit: ' s' })],
    notes: [
      `Of the ${whole.toFixed(2)} s until the first decision, starting Node is ${share(median(node))} and loading the ` +
        `frameworks and libraries ${share(median(framework) - median(node))}. The rest, ` +
        `${share(whole - median(framework))}, is Latchkey's own code and what it has the frameworks do: modules, entities, ` +
        `routes. Processors spend ${median(processor).toFixed(2)} s on all of it, in several threads. A Nest application with one route needs ${median(nest).toFixed(2)} s until its first answer.`,
    ],
  };
}

/** Returns the seconds that Node takes to run a module and exit. */
async function secondsUntilEnd(code) {
  const start = performance.now();
  const child = spawn(process.execPath, ['--input-type=module', '--eval', `${code}\nprocess.exit(0);`], {
    cwd: ROOT,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await once(child, 'exit');
  return (performance.now() - start) / 1000;
}

/**
 * Returns the seconds, and the seconds of processor time, from starting a script until it responds to a request with
 * 200.
 */
async function secondsUntilAnswer(script, environment, question) {
  const port = await freePort();
  const start = performance.now();
  const child = spawn(process.execPath, [script], {
    env: { PATH: process.env.PATH, NODE_ENV: 'production', PORT: String(port), ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  while ((await statusOf(port, question)) !== 200) {
    if (child.exitCode !== null) {
      throw new Error(`${script} ended with ${child.exitCode}`);
    }
    await sleep(5);
  }
  const seconds = (performance.now() - start) / 1000;
  const cpuSeconds = cpuSecondsOf(child.pid);
  child.kill('SIGTERM');
  await ended;
  return { seconds, cpuSeconds };
}

function statusOf(port, { method, path, headers }) {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', () => resolve(undefined));
    asked.end();
  });
}

/** Returns the packages that a built file imports at its start, directly or through other files of Latchkey. */
function packagesOf(file, seen = new Set()) {
  seen.add(file);
  const packages = new Set();
  const code = readFileSync(file, 'utf8');
  for (const [, name] of code.matchAll(/^(?:import|export)\b[^;]*?\bfrom '([^']+)';|^import '([^']+)';/gm)) {
    const imported = name ?? 'reflect-metadata';
    if (!imported.startsWith('.')) {
      if (!imported.startsWith('node:')) packages.add(imported);
      continue;
    }
    const next = fileURLToPath(new URL(imported, `file://${file}`));
    if (!seen.has(next)) {
      packagesOf(next, seen).forEach((found) => packages.add(found));
    }
  }
  return packages;
}
