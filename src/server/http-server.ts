import { Server, type ServerOptions } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';
import { parseQuery } from '../input/query-string.js';

const OPTIONS: ServerOptions = {
  /** The headers of a request must have arrived within this time, in milliseconds. */
  headersTimeout: 10_000,
  /** How often Node looks for those that have not. */
  connectionsCheckingInterval: 2000,
  /** Those who read a body have limits of their own, and uploads may take as long as they like. */
  requestTimeout: 0,
  /** How long a connection may wait for its next request. */
  keepAliveTimeout: 65_000,
  /** Node itself would refuse requests without a Host header, in words of its own. */
  requireHostHeader: false,
};

/** How long a client may read nothing of its response, in milliseconds. */
const UNREAD_MS = 30_000;

/** Node's HTTP server, which can also stop accepting connections and keep those that it has. */
export class HttpServer extends Server {
  private keepsIdleConnections = false;

  constructor() {
    super(OPTIONS);
    this.timeout = UNREAD_MS;
    // Node would leave out what comes after 2,000 headers without a word, another credential or method included. Their
    // size is bounded anyway.
    this.maxHeadersCount = 0;
  }

  /**
   * Accepts no further connection. Calls back when the last one has closed. `close` alone would cut idle connections at
   * once, and with them the requests that are on their way.
   */
  stopAccepting(closed: () => void): void {
    this.keepsIdleConnections = true;
    this.close(closed);
    this.keepsIdleConnections = false;
  }

  override closeIdleConnections(): void {
    if (!this.keepsIdleConnections) {
      super.closeIdleConnections();
    }
  }
}

/** Express as Latchkey wants it, behind our own HTTP server: its one listener is added when the application is ready. */
export class ServerAdapter extends ExpressAdapter {
  constructor() {
    super(createExpress());
  }

  override initHttpServer(): void {
    this.httpServer = new HttpServer();
  }
}

/** `/V1/...` and a trailing slash are other paths, and queries are flat. */
function createExpress(): express.Express {
  const server = express();
  server.set('case sensitive routing', true);
  server.set('strict routing', true);
  server.set('query parser', parseQuery);
  server.set('etag', false);
  server.disable('x-powered-by');
  // Without validators no client can have an answer already, but Express believes `If-None-Match: *` and sends a 304.
  Object.defineProperty(server.request, 'fresh', { get: () => false });
  return server;
}
