import { Server, type ServerOptions } from 'node:http';
import { ExpressAdapter } from '@nestjs/platform-express';
import express from 'express';
import { parseQuery } from '../input/query-string.js';

const OPTIONS: ServerOptions = {
  /** How long the headers of a request may take to arrive, in milliseconds. */
  headersTimeout: 10_000,
  /** How often Node checks for connections that exceed `headersTimeout`, in milliseconds. */
  connectionsCheckingInterval: 2000,
  /** No limit here: code that reads a body has its own limits, and uploads may take any time. */
  requestTimeout: 0,
  /** How long an idle connection may wait for its next request, in milliseconds. */
  keepAliveTimeout: 65_000,
  /** Node would refuse requests without a Host header itself, and not with a problem. */
  requireHostHeader: false,
};

/** How long a client may go without reading its response, in milliseconds. */
const UNREAD_MS = 30_000;

/** Node's HTTP server. It can also stop accepting connections without closing the idle ones. */
export class HttpServer extends Server {
  private keepsIdleConnections = false;

  constructor() {
    super(OPTIONS);
    this.timeout = UNREAD_MS;
    // Node would silently drop all headers after the first 2,000, even another credential or method. Their total size
    // is limited anyway.
    this.maxHeadersCount = 0;
  }

  /**
   * Accepts no more connections. Calls back when the last one has closed. `close` alone would close idle connections at
   * once, and lose the requests that are on their way to them.
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

/** Runs Express behind our own HTTP server. The server gets its one listener when the application is ready. */
export class ServerAdapter extends ExpressAdapter {
  constructor() {
    super(createExpress());
  }

  override initHttpServer(): void {
    this.httpServer = new HttpServer();
  }
}

/** Creates Express. It treats `/V1/...` and a trailing slash as other paths, and does not nest queries. */
function createExpress(): express.Express {
  const server = express();
  server.set('case sensitive routing', true);
  server.set('strict routing', true);
  server.set('query parser', parseQuery);
  server.set('etag', false);
  server.disable('x-powered-by');
  // Latchkey sends no validators, so no client can have a cached response. Express would still send a 304 for
  // `If-None-Match: *`.
  Object.defineProperty(server.request, 'fresh', { get: () => false });
  return server;
}
