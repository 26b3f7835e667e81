import { connect } from 'node:net';
import { Connections } from '../../src/request/connections.js';
import { until } from '../backoffice/coupon-fixtures.js';
import { startLatchkey } from '../support/harness.js';

/** One sign-in takes about half a second. */
const SLOW = { memoryCost: 65_536, timeCost: 10, parallelism: 1 };

const latchkey = await startLatchkey({}, { hashCost: SLOW });
afterAll(() => latchkey.close());

test('a pipelined request that waits behind another one ends with its connection, and is logged', async () => {
  const body = JSON.stringify({ email: 'grace@example.com', password: 'not a password of hers' });
  const head = (id: string): string[] => ['Host: latchkey.example', `X-Request-Id: ${id}`];
  const first = ['POST /v1/sessions HTTP/1.1', ...head('first'), 'Content-Type: application/json'];
  const second = ['GET /v1/users HTTP/1.1', ...head('second')];
  const { hostname, port } = new URL(latchkey.url);
  const socket = connect(Number(port), hostname);
  socket.write([...first, `Content-Length: ${body.length}`, '', body].join('\r\n') + [...second, '', ''].join('\r\n'));
  // The second response is ready, and must wait for the first one.
  await until('both have been received', () =>
    [...latchkey.get(Connections)].some(({ inProgress }) => inProgress.length === 2),
  );
  socket.destroy();
  const lineOf = (id: string): string | undefined =>
    latchkey
      .log()
      .split('\n')
      .find((line) => line.includes(`"requestId":"${id}"`));
  await until('both have ended', () => lineOf('first') !== undefined && lineOf('second') !== undefined);
  expect([...latchkey.get(Connections)].flatMap(({ inProgress }) => inProgress)).toEqual([]);
  // The sign-in was still being checked.
  expect(lineOf('first')).toContain('"aborted"');
});
