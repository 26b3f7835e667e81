// Measures several servers in turn, over several rounds, so that other load on the machine affects all of them alike.
import { setTimeout as sleep } from 'node:timers/promises';
import { putUnderLoad } from './load.mjs';
import { median } from './median.mjs';

const CONNECTIONS = 64;
const WARM_UP_SECONDS = 3;
/** How long to wait after a load, in milliseconds, so that background writes are finished. */
const SETTLE_MS = 1500;

/**
 * Puts each target under load once per round, in turn.
 *
 * @param targets `{ name, server, requests, statements? }`
 * @returns for each target its measurements, one per round, in the order of the targets
 */
export async function measureInTurn(targets, { rounds, seconds, settleMs = SETTLE_MS }) {
  const results = targets.map(() => []);
  for (const { server, requests } of targets) {
    await putUnderLoad({ url: server.url, requests }, { seconds: WARM_UP_SECONDS, connections: CONNECTIONS });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [nth, { name, server, requests, statements }] of targets.entries()) {
      await sleep(settleMs);
      const cpuBefore = server.cpuSeconds();
      const statementsBefore = await statements?.();
      const load = await putUnderLoad({ url: server.url, requests }, { seconds, connections: CONNECTIONS });
      const measured = {
        ...load,
        cpuMicroseconds: ((server.cpuSeconds() - cpuBefore) * 1e6) / load.requests,
        ...(statements && { statementsPerRequest: ((await statements()) - statementsBefore) / load.requests }),
      };
      results[nth].push(measured);
      console.error(
        `  round ${round + 1}: ${name}: ${Math.round(load.perSecond)} a second, p99 ${load.p99Ms.toFixed(1)} ms, ` +
          `${measured.cpuMicroseconds.toFixed(1)} µs of processor each`,
      );
    }
  }
  return results;
}

/** Returns the medians of the measurements of one target. */
export function summarise(name, measurements) {
  const of = (property) => median(measurements.map((measured) => measured[property]));
  return {
    name,
    perSecond: of('perSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    cpuMicroseconds: of('cpuMicroseconds'),
  };
}

/** Returns a figure: the median of the ratios of the rounds, and whether it reaches its goal. */
export function ratioFigure(name, property, ones, others, goal) {
  const ratios = ones.map((one, round) => one[property] / others[round][property]);
  return figure(name, ratios, goal);
}

/** Returns a figure that was measured once per round. `goal` is `{ atLeast }` or `{ atMost }`. */
export function figure(name, values, { atLeast, atMost, unit = '' }) {
  const value = median(values);
  const text = (number) => `${number >= 10 ? number.toFixed(1) : number.toFixed(3)}${unit}`;
  return {
    name,
    goal: atLeast === undefined ? `<= ${atMost}${unit}` : `>= ${atLeast}${unit}`,
    value: text(value),
    each: values.map(text).join(' '),
    isReached: atLeast === undefined ? value <= atMost : value >= atLeast,
  };
}
