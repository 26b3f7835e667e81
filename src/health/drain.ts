import { type IncomingMessage, Server as HttpServer, type ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';

/** So long a connection that is kept open may still bring a request; that is its last one. */
const GRACE_MS = 500;
/** After so long every connection is cut, whatever is being answered on it. */
const DRAIN_MS = 9200;
const LOOK_MS = 20;

/**
 * Lets the HTTP server come to its end without dropping what it has accepted: nobody new gets a connection, whoever has
 * one is told with each answer that it was the last, and the process ends when all are gone.
 */
@Injectable()
export class Drain implements BeforeApplicationShutdown {
  private http: HttpServer | undefined;
  private readonly sockets = new Set<Socket>();
  private ended: Promise<void> | undefined;

  /** Names the server. Until the end comes it costs nothing but a note of each connection. */
  watch(http: HttpServer): void {
    this.http = http;
    http.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  /** Whether the end has begun. */
  get hasBegun(): boolean {
    return this.ended !== undefined;
  }

  /** Begins the end: no connection is accepted any more. Resolves when the last one is closed, in bounded time. */
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
      // What is being answered already; Node has no other way to it.
      if (response) {
        response.shouldKeepAlive = false;
      }
    }
    const closed = new Promise<void>((resolve) => {
      // The HTTP server's own `close` cuts idle connections at once, and with them the request that is on its way.
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
      // Node counts a connection that never brought anything as a busy one.
      if (socket.bytesRead === 0 || elapsedMs > DRAIN_MS) {
        socket.destroy();
      }
    }
  }
}
