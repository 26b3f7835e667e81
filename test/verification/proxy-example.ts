import { readFileSync } from 'node:fs';
import { freePort, type ProxyName, type RunningProxy, startProxy } from './proxies.js';

/** A proxy that runs the example of its configuration. */
export type RunningExample = RunningProxy & { url: string };

const EXAMPLES: Record<ProxyName, string> = { nginx: 'nginx/nginx.conf', caddy: 'caddy/Caddyfile' };

/** Runs an example with other ports. `change` modifies the example. */
export async function runExample(
  proxy: ProxyName,
  latchkeyUrl: string,
  upstreamPort: number,
  change: (example: string) => string = (example) => example,
): Promise<RunningExample> {
  const port = await freePort();
  const example = change(readFileSync(new URL(`../../examples/${EXAMPLES[proxy]}`, import.meta.url), 'utf8'))
    .replaceAll(':3000', `:${new URL(latchkeyUrl).port}`)
    .replaceAll(':9000', `:${upstreamPort}`)
    .replaceAll('8080', String(port))
    .replace('/tmp/latchkey-nginx.pid', 'nginx.pid');
  return { ...(await startProxy(proxy, example, port)), url: `http://127.0.0.1:${port}` };
}
