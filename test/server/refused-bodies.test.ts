import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createApplication } from '../support/fixtures.js';
import { type Latchkey, startLatchkey } from '../support/harness.js';

/** Tests what a client may send after a refusal that arrives before its body is complete. */
describe('behind a refusal that came before the body', () => {
  let latchkey: Latchkey;

  beforeAll(async () => {
    latchkey = await startLatchkey();
  });
  afterAll(() => latchkey.close());

  const refusedHead = (target: string, ...lines: string[]): string =>
    [`POST ${target} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', ...lines, '', ''].join('\r\n');

  /** Returns an authorized request that leaves a trace if it runs: an Application is deleted. */
  const smuggled = async (): Promise<{ request: string; wasRun: () => Promise<boolean> }> => {
    const id = await createApplication(latchkey.admin);
    const path = `/v1/applications/${id}`;
    const lines = [`DELETE ${path} HTTP/1.1`, 'Host: x', `Authorization: ${latchkey.admin.authorization}`, '', ''];
    return { request: lines.join('\r\n'), wasRun: async () => (await latchkey.admin.get(path)).status === 404 };
  };

  /** Sends the beginning, waits for a response, sends the rest, and returns everything that arrives until the end. */
  const exchange = async (first: string, rest: string): Promise<string> => {
    const { hostname, port } = new URL(latchkey.url);
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (received += chunk));
    // A client that still sends after the end gets a network error.
    socket.on('error', () => socket.destroy());
    const closed = once(socket, 'close');
    socket.write(first);
    await answered(socket, () => received);
    socket.write(rest);
    await closed;
    return received;
  };

  test.each([
    ['an operation that it may not call', '/v1/applications'],
    ['nothing that there is', '/v1/nothing'],
    ['forward auth', '/v1/forward_auth/original/management'],
  ])('nothing is run (asked was for %s)', async (_what, target) => {
    const inFront = 'x'.repeat(1000);
    const behind = await smuggled();
    const counted = await exchange(refusedHead(target, 'Content-Length: 1001') + inFront, `x${behind.request}`);
    const chunked = await exchange(
      `${refusedHead(target, 'Transfer-Encoding: chunked')}3e8\r\n${inFront}\r\n`,
      `0\r\n\r\n${behind.request}`,
    );
    const within = await smuggled();
    const asBody = await exchange(
      refusedHead(target, `Content-Length: ${within.request.length}`),
      within.request + behind.request,
    );
    const awaited = await exchange(
      refusedHead(target, `Content-Length: ${within.request.length}`, 'Expect: 100-continue'),
      within.request + behind.request,
    );
    for (const answer of [counted, chunked, asBody, awaited]) {
      const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status!);
      expect(statuses.filter((status) => status !== '100')).toEqual([
        target === '/v1/nothing' ? '404' : expect.stringMatching(/^40[13]$/),
      ]);
      expect(answer).toContain('Connection: close');
    }
    expect([await behind.wasRun(), await within.wasRun()]).toEqual([false, false]);
  });

  test('what was sent in front is answered, and what was sent behind in the same breath is not run', async () => {
    const [inFront, behind] = [await smuggled(), await smuggled()];
    const refused = `${refusedHead('/v1/nothing', 'Content-Length: 2')}{}`;
    const answer = await exchange(inFront.request + refused + behind.request, '');
    expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(['204', '404']);
    expect([await inFront.wasRun(), await behind.wasRun()]).toEqual([true, false]);
  });

  test('an answer to HEAD has no body', async () => {
    const head = refusedHead('/v1/applications', 'Content-Length: 10').replace('POST', 'HEAD');
    const answer = await exchange(head, '0123456789');
    expect(answer).toMatch(/^HTTP\/1\.1 401 [^]*\r\n\r\n$/);
    expect(answer.indexOf('\r\n\r\n')).toBe(answer.length - 4);
  });
});

/** Waits until the whole head of a response has arrived, other than a `100 Continue`. */
async function answered(socket: Socket, received: () => string): Promise<void> {
  while (!/^(?:HTTP\/1\.1 100 [^]*?\r\n\r\n)?HTTP\/1\.1 [2-5][^]*\r\n\r\n/.test(received())) {
    await once(socket, 'data');
  }
}
