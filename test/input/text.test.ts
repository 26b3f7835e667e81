import type { ProblemBody } from '../support/client.js';
import { CAMPAIGNS, createApplication } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

/** Two characters to a database, and one to many libraries. */
const HEART = '❤\ufe0f';
/** One character that becomes eighteen when case is ignored. */
const FORMULA = '\ufdfa';
/** One character to a database, and two to JavaScript. */
const KEY = '🔑';

describe('a text that is stored', () => {
  let latchkey: Latchkey;
  let applicationId: number;

  beforeAll(async () => {
    latchkey = await startLatchkey();
    applicationId = await createApplication(latchkey.admin);
  });
  // Names of Applications are unique.
  afterEach(async () => {
    const { body } = await latchkey.admin.get<{ data: { id: number }[] }>('/v1/applications?sort=-id');
    const others = body.data.filter(({ id }) => id !== applicationId);
    await Promise.all(others.map(({ id }) => latchkey.admin.delete(`/v1/applications/${id}`)));
  });
  afterAll(() => latchkey.close());

  let people = 0;
  const openapi = { openapi: '3.1.0', info: { title: 'x', version: '1' }, paths: {} };
  const kinds: [
    what: string,
    lengthMax: number,
    send: (text: string) => [method: string, path: string, body: object],
  ][] = [
    ['an Application', 100, (name) => ['POST', '/v1/applications', { name, timezone: 'UTC', currency: 'EUR' }]],
    ['a changed Application', 100, (name) => ['PUT', `/v1/applications/${applicationId}`, { name }]],
    [
      'a key',
      100,
      (name) => ['POST', '/v1/api_keys', { name, expiryDate: '2027-06-30T22:00:00Z', endpoints: [CAMPAIGNS] }],
    ],
    [
      'a user',
      100,
      (name) => [
        'POST',
        '/v1/users',
        { name, email: `someone${(people += 1)}@example.com`, password: 'the password of someone' },
      ],
    ],
    ['a changed user', 100, (name) => ['PUT', '/v1/users/1', { name }]],
    ['a campaign', 255, (name) => ['POST', `/v1/applications/${applicationId}/campaigns`, { name }]],
    ['a service', 100, (name) => ['PUT', '/v1/services/billing', { name, openapi }]],
    [
      'a service (applicationParameter)',
      100,
      (applicationParameter) => ['PUT', '/v1/services/orders', { name: 'Orders', applicationParameter, openapi }],
    ],
  ];

  test.each(kinds)('is refused if it is longer than its column: %s', async (_what, lengthMax, request) => {
    const send = async (text: string): Promise<[number, string | undefined]> => {
      const answer = await latchkey.admin.send<ProblemBody>(...request(text));
      return [answer.status, answer.body.code];
    };
    for (const short of ['x'.repeat(lengthMax), HEART.repeat(Math.floor(lengthMax / 2)), KEY.repeat(lengthMax)]) {
      const [status, code] = await send(short);
      expect({ ok: status === 200 || status === 201, code }).toEqual({ ok: true, code: undefined });
    }
    for (const long of [
      'x'.repeat(lengthMax + 1),
      HEART.repeat(Math.floor(lengthMax / 2) + 1),
      HEART.repeat(lengthMax),
      KEY.repeat(lengthMax + 1),
    ]) {
      expect(await send(long)).toEqual([400, 'validation-failed']);
    }
  });

  test.each(kinds.slice(0, 6))(
    'is refused if it is longer than the column in which case is ignored: %s',
    async (_what, lengthMax, request) => {
      const fits = Math.floor((lengthMax * 4) / 18);
      expect((await latchkey.admin.send(...request(FORMULA.repeat(fits)))).status).toBeLessThan(300);
      const answer = await latchkey.admin.send<ProblemBody>(...request(FORMULA.repeat(fits + 1)));
      expect(answer).toMatchObject({
        status: 400,
        body: { code: 'validation-failed', errors: [{ pointer: '/name' }] },
      });
    },
  );
});
