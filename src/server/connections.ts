import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { REST_WAIT_MS } from '../request/end-answer.js';

/** The headers of a request must have arrived within this time, in milliseconds. */
const HEADERS_WAIT_MS = 10_000;
/** How often Node looks for those that have not. */
const LOOK_MS = 2000;
/** A connection may wait so long for its next request. */
const KEEP_ALIVE_MS = 65_000;
/** A client that reads nothing of its answer for so long is gone. */
const UNREAD_MS = 30_000;

/**
 * Lets nobody hold a connection for longer than it takes: headers that do not come, bodies that nobody waits for any more,
 * and answers that are not read. Those who read a body have limits of their own, and uploads may take as long as they like
 * as long as something arrives.
 */
export function boundConnections(http: Server, connectionsMax: number): void {
  http.maxConnections = connectionsMax;
  http.requestTimeout = 0;
  http.headersTimeout = HEADERS_WAIT_MS;
  // Read when the server begins to listen; by default it is half a minute.
  Object.assign(http, { connectionsCheckingInterval: LOOK_MS });
  // Node itself would refuse requests without one, in words of its own.
  Object.assign(http, { requireHostHeader: false });
  http.keepAliveTimeout = KEEP_ALIVE_MS;
  http.timeout = UNREAD_MS;
  http.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.on('timeout', (socket: Socket) => {
      // Where nothing waits to be read, it is the client who waits.
      if (socket.writableLength > 0) {
        socket.destroy();
      }
    });
    response.once('finish', () => endWithRequest(request));
  });
}

/** Once it has been answered, a request that is still arriving has not much time left. */
function endWithRequest(request: IncomingMessage): void {
  if (request.complete) {
    return;
  }
  const timer = setTimeout(() => request.socket.destroy(), REST_WAIT_MS).unref();
  for (const event of ['end', 'close']) {
    request.once(event, () => clearTimeout(timer));
  }
}
