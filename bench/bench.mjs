// Measures how fast Latchkey decides, and compares it with other servers in one run on this machine: `npm run bench`.
// README.md explains each figure. It exits with 0 even if goals are missed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FIGURES } from './figures.mjs';
import { describeMachine } from './machine.mjs';
import { withBufferPool } from './mysql-server.mjs';
import { printTable } from './table.mjs';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '3' },
    keys: { type: 'string', default: '1000000' },
    only: { type: 'string', default: '' },
  },
});
const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
const settings = { folder, seconds: Number(values.seconds), rounds: Number(values.rounds), keys: Number(values.keys) };
const machine = await describeMachine();

try {
  const measured = [];
  const reached = [];
  const notes = [];
  for (const figure of FIGURES.filter(({ name }) => name.includes(values.only))) {
    console.error(`measuring: ${figure.name}`);
    const result = await withBufferPool(() => figure.measure(settings));
    measured.push(...result.measured);
    reached.push(...result.figures);
    notes.push(...(result.notes ?? []));
  }
  console.log('\n## The machine\n');
  printTable(['', ''], machine);
  console.log(
    `\n## Measured (medians of ${settings.rounds} interleaved rounds of ${settings.seconds} s, 64 connections)\n`,
  );
  printTable(
    ['what', 'a second', 'p50 ms', 'p99 ms', 'processor µs per request'],
    measured.map((row) => [row.name, ...[row.perSecond, row.p50Ms, row.p99Ms, row.cpuMicroseconds].map(display)]),
  );
  console.log('\n## Reached\n');
  printTable(
    ['figure', 'to reach', 'measured', 'in each round', ''],
    reached.map(({ name, goal, value, each, isReached }) => [
      name,
      goal,
      value,
      each,
      isReached ? 'reached' : 'NOT reached',
    ]),
  );
  notes.forEach((note) => console.log(`\n${note}`));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function display(number) {
  return number === undefined ? '' : number >= 100 ? Math.round(number).toLocaleString('en') : number.toPrecision(3);
}
