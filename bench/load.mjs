// Puts a server under load with wrk, which leaves most of the machine to the server, or with autocannon if wrk is not
// installed.
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('wrk.lua', import.meta.url));

const wrk = wrkVersion();

/** The name and version of the load generator. */
export const GENERATOR = wrk ?? `autocannon ${readOwnVersion('autocannon')}`;

/**
 * Sends the requests of a file in turn, over several connections, for some seconds.
 *
 * @param target `{ url, requests }`: the server, and the file as `wrk.lua` reads it
 * @returns `{ perSecond, p50Ms, p99Ms }`; throws if any response is not a 2xx
 */
export async function putUnderLoad({ url, requests }, { seconds, connections }) {
  const result = wrk
    ? await withWrk(url, requests, seconds, connections)
    : await withAutocannon(url, requests, seconds, connections);
  if (result.failed > 0) {
    throw new Error(`${result.failed} of ${result.requests} requests to ${url} failed: nothing was measured`);
  }
  return {
    requests: result.requests,
    perSecond: result.requests / result.seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
  };
}

async function withWrk(url, requests, seconds, connections) {
  const start = String(Math.floor(Math.random() * 1e9));
  const { stdout } = await run('wrk', [
    ...['--threads', '1', '--connections', String(connections), '--duration', `${seconds}s`, '--timeout', '10s'],
    ...['--script', SCRIPT, url, '--', requests, start],
  ]);
  return JSON.parse(/^RESULT (.*)$/m.exec(stdout)[1]);
}

async function withAutocannon(url, requests, seconds, connections) {
  const { default: autocannon } = await import('autocannon');
  const all = readRequests(requests);
  let nth = Math.floor(Math.random() * all.length);
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    requests: [
      {
        setupRequest: (request) => {
          nth = (nth + 1) % all.length;
          return { ...request, ...all[nth] };
        },
      },
    ],
  });
  return {
    requests: result.requests.total,
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failed: result.non2xx + result.errors + result.timeouts,
  };
}

/** Returns the requests of a file as objects. */
export function readRequests(file) {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [method, path, ...headers] = line.split('\t');
      return { method, path, headers: Object.fromEntries(headers.map((header) => header.split(': '))) };
    });
}

function wrkVersion() {
  try {
    execFileSync('wrk', ['-v'], { stdio: 'pipe' });
  } catch (error) {
    // wrk prints its version and then exits with 1.
    return error.stdout ? /^wrk \S+/.exec(error.stdout.toString())?.[0] : undefined;
  }
  return undefined;
}

function readOwnVersion(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;
}
