import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Connections } from '../request/connections.js';

/** How long an idle connection may still bring a last request, in milliseconds. */
const GRACE_MS = 500;
/** After this time every connection is cut, whatever is being answered on it, in milliseconds. */
const DRAIN_MS = 9200;
const LOOK_MS = 20;

/** An HTTP server that can stop accepting connections and keep those that it has. */
interface DrainableServer extends Server {
  stopAccepting(closed: () => void): void;
}

/**
 * Lets the HTTP server come to its end without dropping what it has accepted: it accepts no further connection, tells each
 * client with a response that it was the last, and resolves when all connections are closed.
 */
@Injectable()
export class Drain implements BeforeApplicationShutdown {
  private ended: Promise<void> | undefined;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly connections: Connections,
  ) {}

  /** Whether the end has begun. */
  get hasBegun(): boolean {
    return this.ended !== undefined;
  }

  /** Begins the end: no connection is accepted any more. Resolves when the last one is closed, in bounded time. */
  begin(): Promise<void> {
    const server = this.host.httpAdapter.getHttpServer() as DrainableServer;
    this.ended ??= server.listening ? this.end(server) : Promise.resolve();
    return this.ended;
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.begin();
  }

  private async end(server: DrainableServer): Promise<void> {
    const began = performance.now();
    this.connections.beginDraining();
    const closed = new Promise<void>((resolve) => server.stopAccepting(resolve));
    const outcome = await Promise.race([closed, sleep(GRACE_MS, 'late' as const)]);
    if (outcome === 'late') {
      const looking = setInterval(() => this.cut(server, performance.now() - began), LOOK_MS);
      await closed;
      clearInterval(looking);
    }
  }

  private cut(server: DrainableServer, elapsedMs: number): void {
    server.closeIdleConnections();
    for (const { socket } of this.connections) {
      // Node counts a connection that never brought anything as a busy one.
      if (socket.bytesRead === 0 || elapsedMs > DRAIN_MS) {
        socket.destroy();
      }
    }
  }
}
