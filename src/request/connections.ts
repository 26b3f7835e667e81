import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { clientAddress, type TrustProxy, validAddress } from './client-address.js';
import { RequestContext } from './request-context.js';

const CONNECTION = Symbol('latchkey:connection');

type WithConnection = Socket & { [CONNECTION]?: Connection };

/** One connection, with its requests in progress. */
export class Connection {
  /** Requests whose responses have not been sent completely, in the order in which they arrived. */
  readonly inProgress: RequestContext[] = [];
  /** Whether the last response of the connection has been written. Requests pipelined after it are ignored. */
  isClosing = false;
  /** The address of the other end. A socket forgets it when it closes. */
  private readonly peer: string | undefined;
  private readonly address: string | undefined;

  constructor(
    readonly socket: Socket,
    private readonly trust: TrustProxy | undefined,
  ) {
    this.peer = socket.remoteAddress;
    this.address = validAddress(this.peer);
    (socket as WithConnection)[CONNECTION] = this;
  }

  /** Creates the context of a request that has arrived. */
  begin(request: IncomingMessage, response: ServerResponse): RequestContext {
    const context = new RequestContext(request, response, this);
    this.inProgress.push(context);
    return context;
  }

  /** Removes a request whose response has been sent or never will be. */
  forget(context: RequestContext): void {
    const index = this.inProgress.indexOf(context);
    if (index !== -1) {
      this.inProgress.splice(index, 1);
    }
  }

  /** Returns the response that is being written, or that is next. Responses are sent in the order of their requests. */
  get currentResponse(): ServerResponse | undefined {
    return this.inProgress.find(({ response }) => !response.writableFinished)?.response;
  }

  /**
   * Returns the client's address: the address of the connection, or the address that trusted proxies report for this
   * request.
   */
  clientAddress(request: IncomingMessage): string | undefined {
    return this.trust ? clientAddress(request.headers, this.peer, this.trust) : this.address;
  }

  /** Tells the client to send no further request, in the last response that has not begun. */
  endKeepAlive(): void {
    const last = this.inProgress.at(-1);
    if (last) {
      last.response.shouldKeepAlive = false;
    }
  }
}

/** All open connections of the HTTP server. */
@Injectable()
export class Connections implements Iterable<Connection> {
  private readonly open = new Set<Connection>();
  private draining = false;

  /** Whether each response tells the client that it is the last on its connection. */
  get isDraining(): boolean {
    return this.draining;
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.open.values();
  }

  /** Adds the connection of a socket, and removes it when the socket closes. */
  add(socket: Socket, trust: TrustProxy | undefined): void {
    const connection = new Connection(socket, trust);
    this.open.add(connection);
    socket.once('close', () => {
      this.open.delete(connection);
      // Node closes only the response that it was sending, and not those that wait behind it.
      [...connection.inProgress].forEach((context) => context.close());
    });
  }

  /** Ends every connection after the response that it is waiting for, or after its next response. */
  beginDraining(): void {
    this.draining = true;
    for (const connection of this.open) {
      connection.endKeepAlive();
    }
  }
}

/** Returns the connection of a socket that was added. */
export function connectionOf(socket: Socket): Connection {
  const connection = (socket as WithConnection)[CONNECTION];
  if (!connection) {
    throw new Error('this socket is not a connection of the server');
  }
  return connection;
}
