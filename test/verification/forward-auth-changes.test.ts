import { createAdmin, createApplication, createKey, type MadeKey } from '../support/fixtures.js';
import { codeOf, DIALECTS, presenting, startBilling } from './forward-auth-fixtures.js';
import { startLatchkey } from '../support/harness.js';
import { type RawAnswer, sendRaw } from '../support/raw-http.js';

const { latchkey, one, askNginx } = await startBilling();
afterAll(() => latchkey.close());

describe('a change by an admin applies to the next request', () => {
  const PATH = '/applications/{applicationId}/invoices';
  const openapi = (paths: unknown): unknown => ({ openapi: '3.1.0', paths });

  test('a key is refused once it is deleted, and while its creator is deactivated', async () => {
    const holder = await createKey(latchkey.admin, {
      endpoints: [{ service: 'billing', method: 'GET', path: '/invoices' }],
    });
    expect((await askNginx('GET', '/invoices', presenting(holder))).status).toBe(200);
    expect((await latchkey.admin.delete(`/v1/api_keys/${holder.id}`)).status).toBe(204);
    expect(codeOf(await askNginx('GET', '/invoices', presenting(holder)))).toBe('unknown');
    const creator = await createAdmin(latchkey);
    const other = await createKey(creator.client, {
      endpoints: [{ service: 'billing', method: 'GET', path: '/invoices' }],
    });
    const states: [string, number][] = [
      ['active', 200],
      ['deactivated', 401],
      ['active', 200],
    ];
    for (const [state, status] of states) {
      expect((await latchkey.admin.put(`/v1/users/${creator.id}`, { state })).status).toBe(200);
      expect([state, (await askNginx('GET', '/invoices', presenting(other))).status]).toEqual([state, status]);
    }
  });

  test('a removed endpoint is refused on every replica, and its grant works again when the endpoint comes back', async () => {
    const replica = await startLatchkey({}, { original: latchkey });
    const statuses = (): Promise<number[]> =>
      Promise.all(
        [latchkey, replica].map(async ({ url }) => {
          const { method, target, headers } = DIALECTS[0]!.ask('shop', 'GET', '/orders', presenting(holder));
          return (await sendRaw(url, method, target, headers)).status;
        }),
      );
    const put = (paths: unknown): Promise<unknown> =>
      replica.admin.put('/v1/services/shop', { name: 'Shop', openapi: openapi(paths) });
    await put({ '/orders': { get: {} }, '/other': { get: {} } });
    const holder = await createKey(latchkey.admin, {
      endpoints: [{ service: 'shop', method: 'GET', path: '/orders' }],
    });
    expect(await statuses()).toEqual([200, 200]);
    await put({ '/other': { get: {} } });
    expect(await statuses()).toEqual([403, 403]);
    const { body } = await latchkey.admin.get<MadeKey>(`/v1/api_keys/${holder.id}`);
    expect(body.endpoints).toMatchObject([{ path: '/orders', gone: true }]);
    await put({ '/orders': { get: {} } });
    expect(await statuses()).toEqual([200, 200]);
    expect((await latchkey.admin.delete('/v1/services/shop')).status).toBe(204);
    expect(await statuses()).toEqual([403, 403]);
    await replica.close();
  });

  test('an endpoint whose scope becomes the whole account is refused for all keys with the grant', async () => {
    const put = (applicationParameter: string): Promise<unknown> =>
      latchkey.admin.put('/v1/services/turning', {
        name: 'Turning',
        applicationParameter,
        openapi: openapi({ [PATH]: { get: {} } }),
      });
    await put('applicationId');
    const endpoints = [{ service: 'turning', method: 'GET', path: PATH }];
    const some = await createKey(latchkey.admin, { endpoints, allowedApplicationIds: [one] });
    const all = await createKey(latchkey.admin, { endpoints });
    const statuses = async (): Promise<number[]> => [
      (await askNginx('GET', `/applications/${one}/invoices`, presenting(some), 'turning')).status,
      (await askNginx('GET', `/applications/${one}/invoices`, presenting(all), 'turning')).status,
    ];
    expect(await statuses()).toEqual([200, 200]);
    await put('somethingElse');
    expect(await statuses()).toEqual([403, 403]);
  });

  test('a key is refused for an Application that was deleted', async () => {
    const lost = await createApplication(latchkey.admin);
    const holder = await createKey(latchkey.admin, {
      endpoints: [{ service: 'billing', method: 'GET', path: PATH }],
      allowedApplicationIds: [one, lost],
    });
    const at = (id: number): Promise<RawAnswer> => askNginx('GET', `/applications/${id}/invoices`, presenting(holder));
    expect((await at(lost)).status).toBe(200);
    expect((await latchkey.admin.delete(`/v1/applications/${lost}`)).status).toBe(204);
    expect(codeOf(await at(lost))).toBe('application-not-allowed');
    expect((await at(one)).status).toBe(200);
  });
});
