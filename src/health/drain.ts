import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Connections } from '../request/connections.js';

/** How long a keep-alive connection may still bring a request, which is then its last one. */
const GRACE_MS = 500;
/** After this time all connections are closed, even if they are in use. */
const DRAIN_MS = 9200;
const LOOK_MS = 20;

/** An HTTP server that can stop accepting connections and keep those that it has. */
interface DrainableServer extends Server {
  stopAccepting(closed: () => void): void;
}

/**
 * Shuts the HTTP server down without dropping accepted requests. New connections are refused, each response closes its
 * connection, and the process ends when all connections are closed.
 */
@Injectable()
export class Drain implements BeforeApplicationShutdown {
  private ended: Promise<void> | undefined;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly connections: Connections,
  ) {}

  /** Whether shutdown has started. */
  get hasBegun(): boolean {
    return this.ended !== undefined;
  }

  /** Starts shutdown: no more connections are accepted. Resolves in bounded time, when the last one is closed. */
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
