import { ServiceCatalogue } from '../../src/services/service-catalogue.js';
import { createKey } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';
import { sendRaw } from '../support/raw-http.js';
import { runSql } from '../support/sql.js';

let latchkey: Latchkey;
beforeEach(async () => {
  latchkey = await startLatchkey();
});
afterEach(() => latchkey.close());

async function register(service: string, ...paths: string[]): Promise<void> {
  const openapi = {
    openapi: '3.1.0',
    info: { title: service, version: '1' },
    paths: Object.fromEntries(paths.map((path) => [path, { get: {} }])),
  };
  const { status } = await latchkey.admin.put(`/v1/services/${service}`, { name: service, openapi });
  expect([200, 201]).toContain(status);
}

/** Returns the status of forward auth for a GET of each path of a service. */
async function statuses(service: string, key: string, paths: string[]): Promise<Record<string, number>> {
  const entries: [string, number][] = [];
  for (const path of paths) {
    const { status } = await sendRaw(latchkey.url, 'GET', `/v1/forward_auth/envoy/${service}${path}`, [
      ['Authorization', `ManagementKey-v1 ${key}`],
    ]);
    entries.push([path, status]);
  }
  return Object.fromEntries(entries);
}

/** Changes a stored document directly, as if another version had stored it. */
async function rewrite(path: string, becomes: string): Promise<void> {
  await runSql(latchkey.database, `UPDATE service_endpoints SET path = '${becomes}' WHERE path = '${path}'`);
  await runSql(latchkey.database, 'UPDATE catalogue_revision SET revision = revision + 1');
}

async function offered(service: string): Promise<string[]> {
  const { body } = await latchkey.admin.get<{ data: { path: string }[] }>(`/v1/endpoints?service=${service}`);
  return body.data.map(({ path }) => path).sort();
}

describe('a stored endpoint that this version cannot match', () => {
  const service = 'stored';
  let key: string;
  beforeEach(async () => {
    await register(service, '/files/{id}', '/health', '/other/{name}');
    const made = await createKey(latchkey.admin, {
      endpoints: ['/files/{id}', '/health', '/other/{name}'].map((path) => ({ service, method: 'GET', path })),
    });
    key = made.key;
    expect(await statuses(service, key, ['/files/7', '/health', '/other/x'])).toEqual({
      '/files/7': 200,
      '/health': 200,
      '/other/x': 200,
    });
  });

  test('is denied even where another endpoint matches, and all other endpoints still work', async () => {
    await rewrite('/other/{name}', '/files/{id}.json');
    expect(await statuses(service, key, ['/files/7', '/health', '/files/7.json', '/other/x'])).toEqual({
      '/files/7': 200,
      '/health': 200,
      '/files/7.json': 403,
      '/other/x': 403,
    });
    expect(await offered(service)).toEqual(['/files/{id}', '/health']);
  });

  test('is denied together with an endpoint that matches the same paths', async () => {
    await rewrite('/other/{name}', '/files/{name}');
    expect(await statuses(service, key, ['/files/7', '/health'])).toEqual({ '/files/7': 403, '/health': 200 });
  });

  test('is logged once', async () => {
    await rewrite('/other/{name}', '/files/{id}.json');
    await statuses(service, key, ['/files/7', '/health']);
    await register('another', '/x');
    await statuses(service, key, ['/files/7', '/health']);
    expect(latchkey.log().match(/endpoints of the service \\"stored\\" are denied/g)).toHaveLength(1);
    expect(latchkey.log()).toContain('/files/{id}.json cannot be an endpoint');
  });
});

test('a change of one service keeps the cached endpoint trees of the others', async () => {
  await register('one', '/a');
  await register('two', '/b');
  const catalogue = latchkey.get(ServiceCatalogue);
  const trees = async (): Promise<unknown[]> => {
    await catalogue.endpoints();
    const [{ revision } = {}] = await runSql(latchkey.database, 'SELECT revision FROM catalogue_revision');
    const current = catalogue.find(revision as number)!;
    return ['one', 'two'].map((service) => current.treeOf(service));
  };
  const before = await trees();
  await register('two', '/b', '/c');
  const after = await trees();
  expect(after[0]).toBe(before[0]);
  expect(after[1]).not.toBe(before[1]);
  expect(await offered('two')).toEqual(['/b', '/c']);
  expect((await latchkey.admin.delete('/v1/services/one')).status).toBe(204);
  expect((await trees())[0]).toBeUndefined();
});
