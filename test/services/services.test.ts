import type { Answer } from '../support/client.js';
import { createKey, type MadeKey } from '../support/fixtures.js';
import { sendRaw } from '../support/raw-http.js';
import { document, names, type Service, startServices } from './service-fixtures.js';

const { latchkey, put, grantable } = await startServices();
afterAll(() => latchkey.close());

describe('registering a service again', () => {
  const before = document({
    '/stays': { get: { summary: 'Stays' } },
    '/goes': { get: {} },
    '/turns/{applicationId}': { get: { summary: 'Turns', tags: ['A'] } },
    '/renamed/{id}': { get: {} },
  });
  const after = document({
    '/stays': { get: { summary: 'Stays' } },
    '/turns/{applicationId}': { get: { summary: 'Turned', tags: ['B'], deprecated: true } },
    '/renamed/{name}': { get: {} },
    '/comes': { post: {} },
  });

  test('responds with the differences, and changes nothing in a dry run', async () => {
    const service = 'differing';
    expect((await put(service, before, {}, '?dryRun=true')).body).toMatchObject({ dryRun: true, endpointCount: 4 });
    expect((await latchkey.admin.get(`/v1/services/${service}`)).status).toBe(404);
    expect(await put(service, before)).toMatchObject({ status: 201, body: { dryRun: false, endpointCount: 4 } });
    const dry = await put(service, after, {}, '?dryRun=true');
    expect(names(await grantable(service))).toEqual([
      'GET /goes',
      'GET /renamed/{id}',
      'GET /stays',
      'GET /turns/{applicationId}',
    ]);
    const done = await put(service, after);
    expect(done.status).toBe(200);
    expect(done.body).toEqual({ ...dry.body, dryRun: false });
    expect(names(done.body.added)).toEqual(['GET /renamed/{name}', 'POST /comes']);
    expect(names(done.body.removed)).toEqual(['GET /goes', 'GET /renamed/{id}']);
    expect(done.body.changed).toEqual([
      {
        method: 'GET',
        path: '/turns/{applicationId}',
        scope: 'application',
        summary: 'Turned',
        tag: 'B',
        deprecated: true,
        differences: [
          { field: 'summary', from: 'Turns', to: 'Turned' },
          { field: 'tag', from: 'A', to: 'B' },
          { field: 'deprecated', from: 'false', to: 'true' },
        ],
      },
    ]);
    expect(names(await grantable(service))).toEqual([
      'GET /renamed/{name}',
      'GET /stays',
      'GET /turns/{applicationId}',
      'POST /comes',
    ]);
    const rescoped = await put(service, after, { applicationParameter: 'name' });
    expect(rescoped.body.changed.map(({ path, differences }) => [path, differences])).toEqual([
      ['/turns/{applicationId}', [{ field: 'scope', from: 'application', to: 'account' }]],
      ['/renamed/{name}', [{ field: 'scope', from: 'account', to: 'application' }]],
    ]);
  });

  test('responds with the number of affected keys and the first hundred of them', async () => {
    const service = 'affecting';
    await put(service, before);
    const holders = await Promise.all(
      Array.from({ length: 102 }, (_, index) =>
        createKey(latchkey.admin, { name: `Holder ${index}`, endpoints: [{ service, method: 'GET', path: '/goes' }] }),
      ),
    );
    await createKey(latchkey.admin, { endpoints: [{ service, method: 'GET', path: '/stays' }] });
    const both = await createKey(latchkey.admin, {
      endpoints: [
        { service, method: 'GET', path: '/goes' },
        { service, method: 'GET', path: '/turns/{applicationId}' },
      ],
    });
    const ids = [...holders, both].map(({ id }) => id).sort((one, other) => one - other);
    const { body } = await put(service, after, {}, '?dryRun=true');
    expect(body.affectedKeys.totalResultSize).toBe(103);
    expect(body.affectedKeys.data.map(({ id }) => id)).toEqual(ids.slice(0, 100));
    const [first] = body.affectedKeys.data;
    const created = [...holders, both].find(({ id }) => id === first!.id)!;
    expect(first).toEqual({ id: created.id, name: created.name, hint: created.hint });
    expect((await put(service, before)).body.affectedKeys).toEqual({ totalResultSize: 0, data: [] });
  });

  test('with the same document changes nothing and writes nothing to the audit log', async () => {
    const service = 'same';
    await put(service, before);
    const read = async (): Promise<[Service, number]> => [
      (await latchkey.admin.get<Service>(`/v1/services/${service}`)).body,
      (await latchkey.admin.get<{ data: unknown[] }>('/v1/changes?pageSize=1000')).body.data.length,
    ];
    const unchanged = await read();
    latchkey.clock.advance(60_000);
    expect((await put(service, before)).body).toMatchObject({ added: [], removed: [], changed: [] });
    expect(await read()).toEqual(unchanged);
    await put(service, before, { description: 'New' });
    const [changed, changes] = await read();
    expect(changed).toMatchObject({ description: 'New', created: unchanged[0].created });
    expect(changed.modified > unchanged[0].modified).toBe(true);
    expect(changes).toBe(unchanged[1] + 1);
  });

  test('concurrently with different documents stores exactly one of them', async () => {
    const service = 'racing';
    const documents = Array.from({ length: 6 }, (_, index) =>
      document(Object.fromEntries(Array.from({ length: 50 }, (_entry, path) => [`/p${path}/d${index}`, { get: {} }]))),
    );
    const answers = await Promise.all(documents.map((each) => put(service, each)));
    const served = answers.filter(({ status }) => status < 300);
    expect(served.length).toBeGreaterThan(0);
    // Requests that were not served must have been told to retry.
    expect(answers.every(({ status }) => [200, 201, 503].includes(status))).toBe(true);
    const endpoints = await grantable(service);
    expect(endpoints).toHaveLength(50);
    expect(new Set(endpoints.map(({ path }) => path.split('/')[2])).size).toBe(1);
  });

  test('revokes and restores grants by METHOD and path', async () => {
    const service = 'returning';
    await put(service, before);
    const key = await createKey(latchkey.admin, {
      endpoints: [{ service, method: 'GET', path: '/renamed/{id}' }],
    });
    const request = async (): Promise<number> =>
      (
        await sendRaw(latchkey.url, 'GET', `/v1/forward_auth/envoy/${service}/renamed/7`, [
          ['Authorization', `ManagementKey-v1 ${key.key}`],
        ])
      ).status;
    const gone = async (): Promise<boolean[]> =>
      (await latchkey.admin.get<MadeKey>(`/v1/api_keys/${key.id}`)).body.endpoints.map((endpoint) => endpoint.gone);
    expect([await request(), await gone()]).toEqual([200, [false]]);
    // The admin granted the endpoint when its parameter was called {id}.
    await put(service, after);
    expect([await request(), await gone()]).toEqual([403, [true]]);
    await put(service, before);
    expect([await request(), await gone()]).toEqual([200, [false]]);
    const removed = await latchkey.admin.delete(`/v1/services/${service}`);
    expect(removed.headers.get('x-keys-affected')).toBe('1');
    expect([await request(), await gone()]).toEqual([403, [true]]);
    await put(service, before);
    // A service that is registered again is another service.
    expect([await request(), await gone()]).toEqual([403, [true]]);
  });
});

describe('registered services', () => {
  test('are listed, read and deleted', async () => {
    const openapi = document({ '/x': { get: {} }, '/{a}{b}': { get: {} } });
    await put('zz-last', openapi, { name: 'Alpha', description: 'What it is for' });
    await put('aa-first', openapi, { name: 'Zulu' });
    const list = (query: string): Promise<Answer<{ totalResultSize: number; data: Service[] }>> =>
      latchkey.admin.get(`/v1/services?${query}`);
    const { body } = await list('pageSize=1');
    expect(body.data.map(({ service }) => service)).toEqual(['aa-first']);
    expect(body.totalResultSize).toBeGreaterThanOrEqual(2);
    expect((await list('sort=-service&pageSize=1')).body.data).toEqual([
      {
        service: 'zz-last',
        name: 'Alpha',
        description: 'What it is for',
        applicationParameter: 'applicationId',
        created: expect.stringMatching(/^2026-11-23T/) as string,
        modified: expect.stringMatching(/^2026-11-23T/) as string,
        endpointCount: 1,
        skippedCount: 1,
      },
    ]);
    expect((await list('sort=name&pageSize=1')).body.data[0]!.name).toBe('Alpha');
    const { body: shown } = await latchkey.admin.get<Service>('/v1/services/zz-last');
    expect(shown).toMatchObject({
      endpointCount: 1,
      endpoints: [{ method: 'GET', path: '/x' }],
      skipped: [{ method: 'GET', path: '/{a}{b}', reason: 'the segment "{a}{b}" is only partly a parameter' }],
    });
    expect((await latchkey.admin.delete('/v1/services/zz-last')).status).toBe(204);
    expect((await latchkey.admin.get('/v1/services/zz-last')).status).toBe(404);
    expect(await grantable('zz-last')).toEqual([]);
    expect((await list('sort=endpointCount')).status).toBe(400);
  });

  test('appear with each change in the audit log, but not in what keys read of it', async () => {
    const service = 'audited';
    await put(service, document({ '/a': { get: {} }, '/b': { get: {} } }));
    await put(service, document({ '/b': { get: { summary: 'B' } }, '/c': { get: {} } }));
    await latchkey.admin.delete(`/v1/services/${service}`);
    const { body } = await latchkey.admin.get<{
      data: { entity: string; old?: object; new?: object; userId: number }[];
    }>('/v1/changes?pageSize=1000&includeOld=true');
    const entries = body.data.filter(({ entity }) => entity.endsWith(`/v1/services/${service}`));
    expect(entries.map(({ entity }) => entity).sort()).toEqual([
      `DELETE /v1/services/${service}`,
      `PUT /v1/services/${service}`,
      `PUT /v1/services/${service}`,
    ]);
    const again = entries.find((entry) => entry.entity.startsWith('PUT') && entry.old)!;
    expect(again).toMatchObject({
      userId: 1,
      old: { service, endpointCount: 2 },
      new: {
        endpointCount: 2,
        added: { count: 1, first: ['GET /c'] },
        removed: { count: 1, first: ['GET /a'] },
        changed: { count: 1, first: ['GET /b'] },
      },
    });
    const key = await createKey(latchkey.admin, { endpoints: [{ method: 'GET', path: '/v1/changes' }] });
    const { body: seen } = await latchkey
      .as(`ManagementKey-v1 ${key.key}`)
      .get<{ data: { entity: string }[] }>('/v1/changes?pageSize=1000');
    expect(seen.data.filter(({ entity }) => entity.includes('/v1/services/'))).toEqual([]);
  });
});

test('endpoints are sorted by the requested field and paged', async () => {
  const operation = { summary: 'x' };
  const paths = { '/b': { get: operation, delete: operation }, '/a': { post: operation } };
  for (const service of ['sorted-one', 'sorted-two']) {
    const openapi = { openapi: '3.1.0', info: { title: 'x', version: '1' }, paths };
    expect((await latchkey.admin.put(`/v1/services/${service}`, { name: service, openapi })).status).toBe(201);
  }
  const list = async (query: string): Promise<string[]> => {
    const { body } = await latchkey.admin.get<{ data: { service: string; method: string; path: string }[] }>(
      `/v1/endpoints?${query}`,
    );
    return body.data
      .filter(({ service }) => service.startsWith('sorted-'))
      .map(({ service, method, path }) => `${service} ${method} ${path}`);
  };
  const byService = ['one', 'two'].flatMap((service) =>
    ['POST /a', 'DELETE /b', 'GET /b'].map((endpoint) => `sorted-${service} ${endpoint}`),
  );
  expect(await list('pageSize=1000')).toEqual(byService);
  expect(await list('pageSize=1000&sort=service')).toEqual(byService);
  expect(await list('pageSize=1000&sort=-service')).toEqual(byService.toReversed());
  const byPath = [0, 3, 1, 2, 4, 5].map((place) => byService[place]!);
  expect(await list('pageSize=1000&sort=path')).toEqual(byPath);
  expect(await list('pageSize=1000&sort=-path')).toEqual(byPath.toReversed());
  expect((await list('pageSize=1000&sort=method')).slice(0, 2)).toEqual([byService[1], byService[4]]);
  const one = 'service=sorted-one&pageSize=1';
  expect([...(await list(`${one}&skip=0`)), ...(await list(`${one}&skip=2`))]).toEqual([byService[0], byService[2]]);
  expect((await latchkey.admin.get('/v1/endpoints?sort=summary')).status).toBe(400);
});
