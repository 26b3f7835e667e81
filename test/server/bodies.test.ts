import { connect as connectSocket } from 'node:net';
import { once } from 'node:events';
import type { Answer, ProblemBody } from '../support/client.js';
import { createApplication } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

const APPLICATION = { name: 'Shop', timezone: 'UTC', currency: 'EUR' };

describe('HTTP', () => {
  let latchkey: Latchkey;

  beforeAll(async () => {
    latchkey = await startLatchkey();
  });
  afterAll(() => latchkey.close());

  const send = (body: string | Uint8Array, headers: Record<string, string>): Promise<Answer<ProblemBody>> =>
    latchkey.admin.send<ProblemBody>('POST', '/v1/applications', body, headers);
  const json = { 'content-type': 'application/json' };

  /** Returns the response to bytes that no HTTP client would send. */
  async function raw(text: string): Promise<string> {
    const { port, hostname } = new URL(latchkey.url);
    const socket = connectSocket(Number(port), hostname);
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.write(text);
    // A refused body that never ends would otherwise keep the connection open for seconds.
    await once(socket, 'data');
    socket.end();
    await once(socket, 'close');
    return answer;
  }

  describe('a body', () => {
    test.each([
      ['no body', undefined, {}, 400, 'body-missing'],
      ['malformed JSON', '{"name":', json, 400, 'json-malformed'],
      ['JSON behind something else', '\ufeff\ufeff{}', json, 400, 'json-malformed'],
      ['an unfinished letter', Buffer.from('{"name": "\xc3"}', 'latin1'), json, 400, 'json-malformed'],
      [
        'half a surrogate pair as bytes',
        Buffer.from('{"name": "\xed\xa0\x80"}', 'latin1'),
        json,
        400,
        'json-malformed',
      ],
      [
        'Latin-1',
        JSON.stringify(APPLICATION),
        { 'content-type': 'application/json; charset=iso-8859-1' },
        415,
        'media-type-unsupported',
      ],
      [
        'UTF-7',
        JSON.stringify(APPLICATION),
        { 'content-type': 'application/json; charset=utf-7' },
        415,
        'media-type-unsupported',
      ],
      [
        'UTF-16',
        Buffer.from(JSON.stringify(APPLICATION), 'utf16le'),
        { 'content-type': 'application/json; charset="utf-16"' },
        415,
        'media-type-unsupported',
      ],
      ['a type that is none', '{}', { 'content-type': 'application/json; charset' }, 400, 'validation-failed'],
      ['a list', '[]', json, 400, 'json-malformed'],
      ['a text', '"x"', json, 400, 'json-malformed'],
      [
        'another type',
        'name=x',
        { 'content-type': 'application/x-www-form-urlencoded' },
        415,
        'media-type-unsupported',
      ],
      ['no type', new TextEncoder().encode('{}'), {}, 415, 'media-type-unsupported'],
      ['a compressed body', '{}', { ...json, 'content-encoding': 'gzip' }, 415, 'media-type-unsupported'],
      ['another charset', '{}', { 'content-type': 'application/json; charset=latin1' }, 415, 'media-type-unsupported'],
      ['100 KB and a byte', JSON.stringify({ name: 'x'.repeat(100 * 1024 - 10) }), json, 413, 'body-too-large'],
      ['an unknown field', JSON.stringify({ ...APPLICATION, x: 1 }), json, 400, 'validation-failed'],
      ['a prototype', '{"__proto__": {"isAdmin": true}}', json, 400, 'validation-failed'],
      [
        'a prototype further in',
        JSON.stringify(APPLICATION).replace('}', ', "attributes": {"a": {"__proto__": 1}}}'),
        json,
        400,
        'validation-failed',
      ],
      ['a constructor', '{"constructor": {"prototype": {"isAdmin": true}}}', json, 400, 'validation-failed'],
      [
        'a constructor further in',
        JSON.stringify({ ...APPLICATION, attributes: { a: { constructor: 1 } } }),
        json,
        400,
        'validation-failed',
      ],
      ['NUL', JSON.stringify({ ...APPLICATION, name: 'a\0' }), json, 400, 'validation-failed'],
      [
        'half a surrogate pair',
        '{"name": "\\ud800", "timezone": "UTC", "currency": "EUR"}',
        json,
        400,
        'validation-failed',
      ],
      [
        'a number beyond all bounds',
        JSON.stringify(APPLICATION).replace('}', ', "attributes": {"a": 1e999}}'),
        json,
        400,
        'validation-failed',
      ],
      [
        'a whole number that would become another one',
        JSON.stringify(APPLICATION).replace('}', ', "attributes": {"id": 12345678901234567890123}}'),
        json,
        400,
        'validation-failed',
      ],
      ['endless nesting', `{"attributes": ${'['.repeat(40_000)}${']'.repeat(40_000)}}`, json, 400, 'validation-failed'],
    ])('%s is refused', async (_name, body, headers, status, code) => {
      const answer = await send(body as string, headers as unknown as Record<string, string>);
      expect(answer).toMatchObject({ status, body: { code } });
    });

    test.each([
      ['with a byte order mark', '\ufeff', 'application/json'],
      ['of a type that says so', '', 'Application/JSON;CharSet="UTF-8"'],
      ['of a type made of JSON', '', 'application/vnd.api+json; charset=utf-8; version=1'],
    ])('is UTF-8, also %s', async (name, before, type) => {
      const body = before + JSON.stringify({ ...APPLICATION, name: `Läden ${name}` });
      const answer = await send(body, { 'content-type': type });
      expect(answer).toMatchObject({ status: 201, body: { name: `Läden ${name}` } });
    });

    test('that is not JSON is refused with the line and column of the fault', async () => {
      const trailingComma = '{\n  "name": "Shop",\n  "currency": "EUR",\n}';
      for (const [method, path] of [
        ['POST', '/v1/applications'],
        ['PUT', '/v1/services/billing'],
      ] as const) {
        const { status, body } = await latchkey.admin.send<ProblemBody>(method, path, trailingComma, json);
        expect([status, body.code, body.detail]).toEqual([
          400,
          'json-malformed',
          'The body is not valid JSON. See line 3, column 20: remove the comma before "}".',
        ]);
      }
    });

    test('opens nothing by a password whose letters only look alike when they are not understood', async () => {
      const user = { name: 'Umlaut', email: 'umlaut@example.com', password: 'fünf Störche üben' };
      const latin1 = Buffer.from(JSON.stringify(user), 'latin1');
      const made = await latchkey.admin.send<ProblemBody>('POST', '/v1/users', latin1, json);
      expect([made.status, made.body.code, made.body.detail]).toEqual([
        400,
        'json-malformed',
        'The body is not UTF-8.',
      ]);
      expect((await latchkey.admin.post('/v1/users', user)).status).toBe(201);
      const credentials = Buffer.from(JSON.stringify({ email: user.email, password: user.password }), 'latin1');
      expect((await latchkey.anonymous.send('POST', '/v1/sessions', credentials, json)).status).toBe(400);
    });

    test('is not read before the guard let its sender in', async () => {
      const answer = await raw(
        `POST /v1/applications HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n{`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 401 [^]*credential-missing/);
    });

    test('is asked for only after the guard let its sender in, if they wait for that', async () => {
      const { port, hostname } = new URL(latchkey.url);
      const exchange = async (path: string, type: string, authorization: string, body: string): Promise<string[]> => {
        const socket = connectSocket(Number(port), hostname);
        let received = '';
        socket.setEncoding('latin1');
        socket.on('data', (chunk: string) => {
          // The client sends the body once it is requested.
          if (received === '' && chunk.startsWith('HTTP/1.1 100 ')) {
            socket.write(body);
          } else if (received === '') {
            socket.end();
          }
          received += chunk;
        });
        const lines = [
          `POST ${path} HTTP/1.1`,
          'Host: x',
          `Authorization: ${authorization}`,
          `Content-Type: ${type}`,
          `Content-Length: ${body.length}`,
          'Expect: 100-continue',
          'Connection: close',
        ];
        socket.write(`${lines.join('\r\n')}\r\n\r\n`);
        await once(socket, 'close');
        return [...received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status!);
      };
      const admin = latchkey.admin.authorization!;
      const application = JSON.stringify({ ...APPLICATION, name: 'Asked for' });
      const applications = '/v1/applications';
      expect(await exchange(applications, 'application/json', 'Bearer nonsense', application)).toEqual(['401']);
      expect(await exchange('/v1/nothing', 'application/json', admin, application)).toEqual(['404']);
      expect(await exchange(applications, 'text/plain', admin, application)).toEqual(['415']);
      expect(await exchange(applications, 'application/json', admin, application)).toEqual(['100', '201']);

      const id = await createApplication(latchkey.admin);
      const campaigns = `/v1/applications/${id}/campaigns`;
      const made = await latchkey.admin.post<{ id: number }>(campaigns, { name: 'Asked for' });
      const form = '--b\r\nContent-Disposition: form-data; name="upFile"\r\n\r\nvalue\nASKED\n\r\n--b--\r\n';
      const multipart = 'multipart/form-data; boundary=b';
      const target = `${campaigns}/${made.body.id}/import_coupons`;
      expect(await exchange(`${campaigns}/2147483647/import_coupons`, multipart, admin, form)).toEqual(['404']);
      expect(await exchange(target, multipart, admin, form)).toEqual(['100', '200']);
    });

    test('without a host is refused in our own words, or let be where the protocol is older', async () => {
      const { port, hostname } = new URL(latchkey.url);
      const exchange = async (version: string): Promise<string> => {
        const socket = connectSocket(Number(port), hostname);
        let received = '';
        socket.setEncoding('latin1');
        socket.on('data', (chunk: string) => (received += chunk));
        socket.end(`GET /health/live HTTP/${version}\r\nConnection: close\r\n\r\n`);
        await once(socket, 'close');
        return received;
      };
      expect(await exchange('1.0')).toMatch(/^HTTP\/1\.1 200 /);
      const refused = await exchange('1.1');
      expect(refused).toMatch(/^HTTP\/1\.1 400 [^]*application\/problem\+json[^]*"code":"request-malformed"/);
    });

    /** Sends megabytes without reading, as some clients do, and then reads the response. */
    const sendThenRead = async (path: string, connection: string, authorization: string, first: string) => {
      const { port, hostname } = new URL(latchkey.url);
      const socket = connectSocket(Number(port), hostname);
      const errors: unknown[] = [];
      socket.on('error', (error) => errors.push(error));
      const body = Buffer.alloc(8_000_000, 'x');
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nContent-Type: application/json\r\n` +
          `Connection: ${connection}\r\nContent-Length: ${first.length + body.length}\r\n\r\n${first}`,
      );
      // The refusal must have arrived, unread, before the rest is sent.
      await once(socket, 'readable');
      await new Promise<void>((resolve) => socket.write(body, () => resolve()));
      socket.end();
      let answer = '';
      for await (const chunk of socket) {
        answer += String(chunk);
      }
      return { status: answer.split(' ')[1], errors };
    };

    test.each(['close', 'keep-alive'])(
      'is received to its end although it is refused, so that its sender reads why (connection: %s)',
      async (connection) => {
        const send = (path: string, authorization: string, first = '{') =>
          sendThenRead(path, connection, authorization, first);
        const admin = latchkey.admin.authorization!;
        expect(await send('/v1/applications', 'ManagementKey-v1 nonsense')).toEqual({ status: '401', errors: [] });
        expect(await send('/v1/nothing', admin)).toEqual({ status: '404', errors: [] });
        expect(await send('/v1/applications', admin)).toEqual({ status: '413', errors: [] });
        const target = '/v1/applications/1/campaigns/1/import_coupons';
        expect(await send(target, admin)).toEqual({ status: '404', errors: [] });
        expect(await send('/v1/forward_auth/envoy/x/y', admin)).toEqual({ status: '401', errors: [] });
      },
    );

    test('that ends too early is refused, and the process lives on', async () => {
      const { port, hostname } = new URL(latchkey.url);
      const socket = connectSocket(Number(port), hostname);
      socket.write(
        `POST /v1/applications HTTP/1.1\r\nHost: x\r\nAuthorization: ${latchkey.admin.authorization}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"name"`,
      );
      socket.resume();
      socket.end();
      await once(socket, 'close');
      expect((await latchkey.admin.get('/v1/applications')).status).toBe(200);
    });
  });
});
