import { connect } from 'node:net';
import { until } from '../backoffice/coupon-fixtures.js';
import { createDatabase } from '../support/harness.js';
import { startServer } from '../support/process.js';

test('a process that is asked to end does not wait for the rest of a refused body', async () => {
  const database = await createDatabase();
  const server = await startServer({ DATABASE_URL: database.url });
  const { hostname, port } = new URL(server.url);
  const sockets = Array.from({ length: 20 }, () => connect(Number(port), hostname));
  const trickling = setInterval(() => sockets.forEach((socket) => socket.writable && socket.write('x')), 100);
  await Promise.all(
    sockets.map(async (socket) => {
      let received = '';
      socket.setEncoding('latin1');
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk: string) => (received += chunk));
      socket.write('POST /v1/applications HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n');
      await until('the head of the refusal has arrived', () => received.includes('\r\n\r\n'));
      expect(received).toMatch(/^HTTP\/1\.1 401 /);
    }),
  );
  const ended = await server.stop();
  clearInterval(trickling);
  sockets.forEach((socket) => socket.destroy());
  await database.drop();
  expect(ended).toBe(0);
}, 60_000);
