import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { until } from '../backoffice/coupon-fixtures.js';

/** How long a slow reader waits after it has read what arrived, about 64 KB, in milliseconds. */
const PAUSE_MS = 50;
const TCP_ESTABLISHED = '01';
/** How often a connection must be missing before it counts as reset. */
const READINGS = 3;

/** A client that requests a large response and reads it slowly, so that most of it waits in the server. */
export class SlowReader {
  private readonly pieces: Buffer[] = [];
  private slow = true;
  private closed = false;
  private heardReset = false;
  /** Of the client and the server, as /proc/net/tcp writes them. */
  private ports: string[] = [];

  private constructor(private readonly socket: Socket) {
    socket.on('connect', () => (this.ports = [socket.localPort!, socket.remotePort!].map(inHexadecimal)));
    socket.on('data', (piece: Buffer) => {
      this.pieces.push(piece);
      if (this.slow) {
        socket.pause();
        setTimeout(() => socket.resume(), PAUSE_MS);
      }
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.heardReset = code === 'ECONNRESET';
      socket.destroy();
    });
    socket.on('end', () => {
      // libuv reports a reset as an end if everything had been read before.
      this.heardReset = this.systemState() === undefined;
      socket.destroy();
    });
    socket.on('close', () => (this.closed = true));
  }

  /** Sends a request, and waits until the first part of a successful response has arrived. */
  static async begin(url: string, path: string, authorization: string): Promise<SlowReader> {
    const { hostname, port } = new URL(url);
    const reader = new SlowReader(connect({ port: Number(port), host: hostname, allowHalfOpen: true }));
    const headers = `Host: latchkey.example\r\nAuthorization: ${authorization}`;
    reader.socket.write(`GET ${path} HTTP/1.1\r\n${headers}\r\n\r\n`);
    await until('the first part of the response is there', () => reader.receivedBytes > 100_000 || reader.closed);
    if (!reader.text().startsWith('HTTP/1.1 200 ')) {
      throw new Error(`no response to read slowly: ${reader.text().slice(0, 1000)}`);
    }
    return reader;
  }

  get receivedBytes(): number {
    return this.pieces.reduce((sum, { length }) => sum + length, 0);
  }

  /**
   * The state of the connection in the operating system, unless the reader has already heard how it ended, which it hears
   * only after all unread data.
   */
  get connection(): 'established' | 'ended' | 'reset' {
    if (this.closed || this.socket.destroyed) {
      return this.heardReset ? 'reset' : 'ended';
    }
    const state = this.systemState();
    return state === undefined ? 'reset' : state === TCP_ESTABLISHED ? 'established' : 'ended';
  }

  /**
   * Returns the state in which the system lists the connection. After a reset it lists none. After an orderly end it lists
   * the connection until this side ends it, too.
   */
  private systemState(): string | undefined {
    // The system lists connections in pieces, and can skip one while others open and close.
    for (let reading = 0; reading < READINGS; reading += 1) {
      for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n')) {
        const [, local, remote, state] = line.trim().split(/\s+/);
        if (local?.split(':')[1] === this.ports[0] && remote?.split(':')[1] === this.ports[1]) {
          return state;
        }
      }
    }
    return undefined;
  }

  /** Reads the rest at full speed, until the response is complete or the connection ends. */
  async readOn(): Promise<void> {
    this.slow = false;
    this.socket.resume();
    await until('the response has come to an end', () => this.closed || this.isComplete);
  }

  /** Whether the response is complete, as a client sees it. */
  get isComplete(): boolean {
    const head = this.pieces[0]?.toString('latin1') ?? '';
    const length = /^Content-Length: (\d+)/im.exec(head)?.[1];
    const headBytes = head.indexOf('\r\n\r\n') + 4;
    return length === undefined
      ? (this.pieces.at(-1)?.toString('latin1').endsWith('0\r\n\r\n') ?? false)
      : this.receivedBytes >= headBytes + Number(length);
  }

  /** Describes how the response ended. */
  get ending(): string {
    return `${this.isComplete ? 'complete' : 'cut off'}, ${JSON.stringify(this.text().slice(-40))}`;
  }

  /** Returns everything that has arrived. */
  text(): string {
    return Buffer.concat(this.pieces).toString('latin1');
  }

  /** Closes the connection. */
  drop(): void {
    this.socket.destroy();
  }
}

/** Returns a port as /proc/net/tcp writes it. */
function inHexadecimal(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, '0');
}
