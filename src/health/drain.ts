import { type IncomingMessage, Server as HttpServer, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';

/** How long a keep-alive connection may still bring a request, which is then its last one. */
const GRACE_MS = 500;
/** After this time all connections are closed, even if they are in use. */
const DRAIN_MS = 9200;
const LOOK_MS = 20;

/**
 * Shuts the HTTP server down without dropping accepted requests. New connections are refused, each response closes its
 * connection, and the process ends when all connections are closed.
 */
@Injectable()
export class Drain implements BeforeApplicationShutdown {
  private http: HttpServer | undefined;
  private readonly sockets = new Set<Socket>();
  private ended: Promise<void> | undefined;

  /** Sets the server. Until shutdown, this only records each connection. */
  watch(http: HttpServer): void {
    this.http = http;
    http.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  /** Whether shutdown has started. */
  get hasBegun(): boolean {
    return this.ended !== undefined;
  }

  /** Starts shutdown: no more connections are accepted. Resolves in bounded time, when the last one is closed. */
  begin(): Promise<void> {
    this.ended ??= this.http?.listening ? this.end(this.http) : Promise.resolve();
    return this.ended;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.begin();
  }

  private async end(http: HttpServer): Promise<void> {
    const began = performance.now();
    http.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
      response.shouldKeepAlive = false;
    });
    for (const { _httpMessage: response } of this.sockets as Set<Socket & { _httpMessage?: ServerResponse | null }>) {
      // Closes the connection after the response in progress. Node has no other way to do this.
      if (response) {
        response.shouldKeepAlive = false;
      }
    }
    const closed = new Promise<void>((resolve) => {
      // The HTTP server's own `close` closes idle connections at once, and loses requests that are on their way.
      NetServer.prototype.close.call(http, () => resolve());
    });
    const outcome = await Promise.race([closed, sleep(GRACE_MS, 'late' as const)]);
    if (outcome === 'late') {
      const looking = setInterval(() => this.cut(http, performance.now() - began), LOOK_MS);
      await closed;
      clearInterval(looking);
    }
  }

  private cut(http: HttpServer, elapsedMs: number): void {
    http.closeIdleConnections();
    for (const socket of this.sockets) {
      // Node treats a connection that never sent anything as busy.
      if (socket.bytesRead === 0 || elapsedMs > DRAIN_MS) {
        socket.destroy();
      }
    }
  }
}
