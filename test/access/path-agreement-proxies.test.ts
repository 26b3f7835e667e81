import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { anyCatalogueAndRequests } from './path-arbitraries.js';
import {
  latchkeyReader,
  literalFirst,
  segmentsOf,
  shapeOf,
  type CatalogueEndpoint,
  type Selection,
} from './path-readers.js';
import { describeProxy, freePort, startProxy, type ProxyName, type RunningProxy } from '../verification/proxies.js';
import { sendRaw } from '../support/raw-http.js';

/*
 * Tests the promise of path safety with real proxies. If Latchkey accepts a path, nginx selects the location, and Caddy
 * the route, of the endpoint that Latchkey selects, with the same parameters. One process serves many catalogues, one
 * per host name. Locations and routes depend on the path alone, so every endpoint here is a GET.
 */

const catalogueCount = 200;
const seed = Number(process.env.PATH_SEED ?? Math.floor(Math.random() * 2 ** 31));

interface Catalogue {
  /** In the order in which the proxy tests them: an endpoint comes after all that are more literal. */
  endpoints: CatalogueEndpoint[];
  raws: string[];
}

interface ProxyRoutes {
  proxy: ProxyName;
  name: string;
  configuration(port: number, catalogues: readonly Catalogue[]): string;
  /** How this proxy reads paths that Latchkey refuses. */
  readings: [raw: string, template: string][];
}

const proxyRoutes: ProxyRoutes[] = [
  {
    proxy: 'nginx',
    name: 'nginx with exact locations and regular expressions',
    configuration: (port, catalogues) =>
      nginxConfiguration(port, catalogues, (template) =>
        template.includes('{') ? `~ "${patternOf(template)}"` : `= "${template}"`,
      ),
    readings: [
      ['/users/7/../me', '/users/me'],
      ['/users/7/%2e%2e/me', '/users/me'],
      ['/users//me', '/users/me'],
      ['/users%2Fme', '/users/me'],
      ['/users/m%65', '/users/me'],
      ['/users/a%3Ab', '/users/a:b'],
      ['/users/me#x', '/users/me'],
      ['/users/ME', '/users/{id}'],
    ],
  },
  {
    proxy: 'nginx',
    name: 'nginx with regular expressions that ignore case',
    configuration: (port, catalogues) =>
      nginxConfiguration(port, catalogues, (template) => `~* "${patternOf(template)}"`),
    readings: [['/users/ME', '/users/me']],
  },
  {
    proxy: 'caddy',
    name: 'Caddy with exact paths and regular expressions',
    configuration: (port, catalogues) =>
      caddyConfiguration(port, catalogues, (template, name) =>
        template.includes('{') ? `path_regexp ${name} "${patternOf(template)}"` : `path "${template}"`,
      ),
    readings: [
      ['/users/ME', '/users/me'],
      ['/users/me.', '/users/me'],
      ['/...', '/'],
      ['/users/%E2%84%AA', '/users/k'],
      ['/users%2Fme', '/users/me'],
      ['/users/m%65', '/users/me'],
      ['/users/a%3Ab', '/users/a:b'],
    ],
  },
  {
    proxy: 'caddy',
    name: 'Caddy with regular expressions that ignore case',
    configuration: (port, catalogues) =>
      caddyConfiguration(port, catalogues, (template, name) => `path_regexp ${name} "(?i)${patternOf(template)}"`),
    readings: [
      ['/users/ME', '/users/me'],
      ['/users/%E2%84%AA', '/users/k'],
    ],
  },
];

for (const { proxy, name, configuration, readings } of proxyRoutes) {
  describeProxy(proxy, name, () => {
    const refusals = catalogueOf(['/', '/users', '/users/me', '/users/k', '/users/a:b', '/users/{id}', '/{x}'], []);
    const catalogues = [refusals, vectorCatalogue(), ...anyCatalogues(catalogueCount)];
    let running: RunningProxy | undefined;
    let url: string;

    beforeAll(async () => {
      const port = await freePort();
      running = await startProxy(proxy, configuration(port, catalogues), port);
      url = `http://127.0.0.1:${port}`;
    }, 60_000);

    afterAll(() => running?.stop());

    test(`selects the endpoint that Latchkey selects, or Latchkey refuses the path (PATH_SEED=${seed})`, async () => {
      let accepted = 0;
      const disagreements: unknown[] = [];
      for (const [index, { endpoints, raws }] of catalogues.entries()) {
        const latchkey = latchkeyReader(endpoints);
        for (const raw of raws) {
          const expected = latchkey.select('GET', raw);
          if (!expected) continue;
          accepted += 1;
          const selection = await select(url, index, endpoints, raw);
          if (JSON.stringify(selection) !== JSON.stringify(expected)) {
            disagreements.push({ raw, expected, selection, templates: endpoints.map(({ template }) => template) });
          }
        }
      }
      expect(disagreements).toEqual([]);
      // A property that is never tested holds vacuously.
      expect(accepted).toBeGreaterThan(200);
    }, 120_000);

    test.each(readings)('reads %s as %s, which is why Latchkey refuses it', async (raw, template) => {
      expect(latchkeyReader(refusals.endpoints).select('GET', raw)).toBeUndefined();
      const selection = await select(url, 0, refusals.endpoints, raw);
      expect(selection).toMatchObject({ endpoint: `GET ${template}` });
    });
  });
}

function catalogueOf(templates: string[], raws: string[], order = 'from the left'): Catalogue {
  const byShape = new Map(templates.map((template) => [shapeOf(template), { method: 'GET', template }]));
  return { endpoints: [...byShape.values()].sort(literalFirst[order]), raws };
}

function vectorCatalogue(): Catalogue {
  const vectors = JSON.parse(readFileSync(new URL('path-vectors.json', import.meta.url), 'utf8')) as { raw: string }[];
  const templates = ['/', '/users/me', '/users/{id}', '/{a}', '/{a}/{b}', '/v1/users/{id}'];
  return catalogueOf(
    templates,
    vectors.map(({ raw }) => raw),
  );
}

function anyCatalogues(count: number): Catalogue[] {
  const orders = Object.keys(literalFirst);
  return fc.sample(anyCatalogueAndRequests, { numRuns: count, seed }).map(({ catalogue, requests }, index) =>
    catalogueOf(
      catalogue.map(({ template }) => template),
      requests.map(([, raw]) => raw),
      orders[index % orders.length],
    ),
  );
}

/** Returns the response of the proxy: the number of the endpoint and the parameters, or the proxy's own refusal. */
async function select(
  url: string,
  index: number,
  endpoints: readonly CatalogueEndpoint[],
  raw: string,
): Promise<Selection | { status: number }> {
  const { status, body } = await sendRaw(url, 'GET', raw, [['Host', hostOf(index)]]);
  const [number = '', ...parameters] = Buffer.from(body, 'latin1').toString('utf8').split('/');
  const endpoint = endpoints[Number(number)];
  if (status !== 200 || number === '' || !endpoint) return { status };
  return { endpoint: `GET ${endpoint.template}`, parameters };
}

function hostOf(index: number): string {
  return `catalogue-${index}.example`;
}

function patternOf(template: string): string {
  const segments = segmentsOf(template).map((segment) =>
    segment.kind === 'literal' ? `/${segment.text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}` : '/([^/]+)',
  );
  return `^${segments.join('')}$`;
}

function parameterNumbers(template: string): number[] {
  return segmentsOf(template)
    .filter(({ kind }) => kind === 'parameter')
    .map((_, index) => index + 1);
}

function nginxConfiguration(
  port: number,
  catalogues: readonly Catalogue[],
  location: (template: string) => string,
): string {
  const servers = catalogues.map(({ endpoints }, index) => {
    const locations = endpoints.map(({ template }, number) => {
      const answer = [number, ...parameterNumbers(template).map((parameter) => `$${parameter}`)].join('/');
      return `    location ${location(template)} { return 200 "${answer}"; }`;
    });
    return `  server {\n    listen 127.0.0.1:${port};\n    server_name ${hostOf(index)};\n${locations.join('\n')}\n  }`;
  });
  return `pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server_names_hash_max_size 4096;
  server_names_hash_bucket_size 128;
  default_type text/plain;
${servers.join('\n')}
}
`;
}

function caddyConfiguration(
  port: number,
  catalogues: readonly Catalogue[],
  matcher: (template: string, name: string) => string,
): string {
  const sites = catalogues.map(({ endpoints }, index) => {
    const routes = endpoints.map(({ template }, number) => {
      const name = `endpoint${number}`;
      const captures = parameterNumbers(template).map((parameter) => `{http.regexp.${name}.${parameter}}`);
      return `    @${name} ${matcher(template, name)}\n    respond @${name} "${[number, ...captures].join('/')}" 200`;
    });
    return `http://${hostOf(index)}:${port} {\n  route {\n${routes.join('\n')}\n    respond 404\n  }\n}`;
  });
  return `{\n  admin off\n  auto_https off\n}\n${sites.join('\n')}\n`;
}
