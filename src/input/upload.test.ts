import { once } from 'node:events';
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { Connection } from '../request/connections.js';
import { Problem } from '../problems/problem.js';
import { readUpload } from './upload.js';

/** Begins a request whose body the test sends in pieces. Returns both the client's and the server's side of it. */
async function begin(
  headers: Record<string, string> = {},
): Promise<{ client: ClientRequest; request: IncomingMessage; end: () => void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = httpRequest({ port, host: '127.0.0.1', method: 'POST', headers });
  client.on('error', () => undefined);
  client.write('first');
  const [request, response] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
  new Connection(request.socket, undefined).begin(request, response);
  const end = (): void => {
    client.destroy();
    server.close();
  };
  return { client, request, end };
}

async function codeOf(chunks: AsyncGenerator<Buffer>): Promise<unknown> {
  try {
    for await (const chunk of chunks) {
      expect(chunk.toString()).toBe('first');
    }
  } catch (error) {
    return error instanceof Problem ? error.code : error;
  }
  return 'none';
}

describe('an upload', () => {
  const never = new AbortController().signal;

  it('ends when the client sends nothing for too long, and can still get a response', async () => {
    const { request, end } = await begin();
    expect(await codeOf(readUpload(request, { idleMs: 30, signal: never }))).toBe('request-timeout');
    expect(request.destroyed).toBe(false);
    end();
  });

  it('ends with the reason of the signal, even if it was aborted before', async () => {
    const { request, end } = await begin();
    const stop = new AbortController();
    const reading = codeOf(readUpload(request, { idleMs: 60_000, signal: stop.signal }));
    stop.abort(new Problem('shutting-down'));
    expect(await reading).toBe('shutting-down');
    expect(await codeOf(readUpload(request, { idleMs: 60_000, signal: stop.signal }))).toBe('shutting-down');
    end();
  });

  it('is incomplete if the client disconnects', async () => {
    const { client, request, end } = await begin();
    const reading = codeOf(readUpload(request, { idleMs: 60_000, signal: never }));
    client.destroy();
    expect(await reading).toBe('body-incomplete');
    end();
  });

  it('is not read if it is compressed', async () => {
    const { request, end } = await begin({ 'content-encoding': 'gzip' });
    expect(await codeOf(readUpload(request, { idleMs: 60_000, signal: never }))).toBe('media-type-unsupported');
    end();
  });
});
