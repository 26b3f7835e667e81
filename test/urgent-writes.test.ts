import { Client } from './client.js';
import { createPlace, importCoupons } from './coupon-fixtures.js';
import { createKey } from './fixtures.js';
import { ADMIN_EMAIL, ADMIN_PASSWORD, createDatabase, type TestDatabase } from './harness.js';
import { type ServerProcess, startServer } from './process.js';

const MANY = 300_000;

describe('while a large import is written', () => {
  let database: TestDatabase;
  let server: ServerProcess;
  let admin: Client;

  beforeAll(async () => {
    database = await createDatabase();
    server = await startServer({ DATABASE_URL: database.url });
    const credentials = { email: ADMIN_EMAIL, password: ADMIN_PASSWORD };
    const nobody = new Client(server.url, undefined, new Set());
    const { body } = await nobody.post<{ token: string }>('/v1/sessions', credentials);
    admin = new Client(server.url, `Bearer ${body.token}`, new Set());
  });
  afterAll(async () => {
    await server.stop();
    await database.drop();
  });

  async function isBeingWritten(): Promise<boolean> {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    return /^latchkey_imports_in_progress\{phase="writing"\} 1$/m.test(metrics);
  }

  test('what takes access away is done before it, and the import is whole all the same', async () => {
    const { id: userId } = (
      await admin.post<{ id: number }>('/v1/users', {
        name: 'Leaver',
        email: 'leaver@example.com',
        password: 'a password of theirs',
        isAdmin: false,
      })
    ).body;
    const key = await createKey(admin);
    const place = await createPlace(admin);
    const csv = `value\n${Array.from({ length: MANY }, (_, number) => `CODE-${number}\n`).join('')}`;
    let answered = false;
    const importing = importCoupons(admin, place, csv).finally(() => (answered = true));
    while (!answered && !(await isBeingWritten())) {
      // Asked again.
    }
    expect((await admin.delete(`/v1/api_keys/${key.id}`)).status).toBe(204);
    expect((await admin.put(`/v1/users/${userId}`, { state: 'deactivated' })).status).toBe(200);
    expect((await admin.post('/v1/users/activate', { email: 'leaver@example.com' })).status).toBe(204);
    expect((await admin.delete(`/v1/users/${userId}`)).status).toBe(204);
    expect(answered).toBe(false);
    expect(await importing).toMatchObject({ status: 200, body: { amount: MANY } });
  }, 300_000);
});
