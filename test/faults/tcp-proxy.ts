import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A connection to a server that can be slowed down and cut. */
export class TcpProxy {
  /** How long data travel in each direction, in milliseconds. */
  delayMs = 0;
  /** Returns whether to hold back bytes on their way to the server, with all that follow them. */
  holdsBack: ((bytes: Buffer, client: Socket) => boolean) | undefined;
  private readonly held = new Map<Socket, Buffer[]>();
  private readonly sockets = new Set<Socket>();
  private readonly upstreams = new Map<Socket, Socket>();
  private readonly server: Server;

  private constructor(host: string, port: number) {
    this.server = createServer((client) => {
      const upstream = connect(port, host);
      this.upstreams.set(client, upstream);
      client.on('close', () => {
        this.upstreams.delete(client);
        this.held.delete(client);
      });
      this.join(client, upstream);
      this.join(upstream, client);
    });
  }

  /** Starts a proxy to the server of a URL. */
  static async start(url: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(url);
    const proxy = new TcpProxy(hostname, Number(port));
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  /** Returns the same URL through the proxy. */
  through(url: string): string {
    const changed = new URL(url);
    changed.port = String((this.server.address() as AddressInfo).port);
    return changed.href;
  }

  /** Cuts all connections and loses the data on their way. */
  cut(): void {
    this.sockets.forEach((socket) => socket.resetAndDestroy());
  }

  /**
   * Forgets every connection silently, like a machine that crashed. A peer that then sends data learns that the
   * connection does not exist.
   */
  forget(): void {
    for (const [client, upstream] of this.upstreams) {
      upstream.removeAllListeners().on('error', () => undefined);
      upstream.destroy();
      this.sockets.delete(upstream);
      client.removeAllListeners('data').on('data', () => client.resetAndDestroy());
    }
  }

  /** Sends on what was held back. */
  release(): void {
    this.holdsBack = undefined;
    for (const [client, pieces] of this.held) {
      this.upstreams.get(client)?.write(Buffer.concat(pieces));
    }
    this.held.clear();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private join(from: Socket, to: Socket): void {
    this.sockets.add(from);
    const later = (work: () => void): void => void setTimeout(work, this.delayMs);
    from.setNoDelay(true);
    from.on('data', (bytes: Buffer) => {
      const held = this.held.get(from);
      if (held) {
        held.push(bytes);
      } else if (this.upstreams.has(from) && this.holdsBack?.(bytes, from)) {
        this.held.set(from, [bytes]);
      } else {
        later(() => to.write(bytes));
      }
    });
    from.on('end', () => later(() => to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.sockets.delete(from);
      later(() => to.destroy());
    });
  }
}
