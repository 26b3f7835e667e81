import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Express } from 'express';
import type { Logger } from 'pino';
import { covers, pathOf, RAW_ROUTES } from '../access/raw-routes.js';
import { Problem } from '../problems/problem.js';
import { sendProblem } from '../problems/problem-response.js';
import type { TrustProxy } from '../request/client-address.js';
import { connectionOf, type Connections } from '../request/connections.js';
import { boundUnfinishedRequest } from '../request/lingering-close.js';
import { contextOf, type RequestContext } from '../request/request-context.js';
import { logRequest } from '../request/request-log.js';
import { respondToUnparsable } from './unparsable-request.js';

/** The parts that the server needs to respond to requests. */
export interface ServerParts {
  express: Express;
  forwardAuth: (context: RequestContext) => void;
  connections: Connections;
  logger: Logger;
  /** Undefined if no proxy is trusted. */
  trust: TrustProxy | undefined;
}

/**
 * Adds the listeners of the HTTP server. Each event has only one, so their order does not matter. Every request goes
 * through `onRequest`.
 */
export function listenToServer(
  server: Server,
  { express, forwardAuth, connections, logger, trust }: ServerParts,
): void {
  const onRequest = (request: IncomingMessage, response: ServerResponse, awaitsContinue: boolean): void => {
    const connection = connectionOf(request.socket);
    if (connection.isClosing) {
      // The request was pipelined after the last response of a closing connection.
      return;
    }
    const context = connection.begin(request, response);
    context.awaitsContinue = awaitsContinue;
    context.onClose(onClose);
    response.on('close', onResponseClose);
    if (connections.isDraining) {
      response.shouldKeepAlive = false;
    }
    if (covers(RAW_ROUTES.forwardAuth, pathOf(context.url))) {
      forwardAuth(context);
      return;
    }
    response.setHeader('X-Request-Id', context.id);
    if (request.httpVersion === '1.1' && request.headers.host === undefined) {
      sendProblem(request, response, new Problem('request-malformed', 'The request has no Host header.'));
      return;
    }
    express(request, response);
  };

  const onClose = (context: RequestContext): void => {
    boundUnfinishedRequest(context);
    logRequest(logger, context);
  };

  server.on('connection', (socket) => connections.add(socket, trust));
  server.on('request', (request, response) => onRequest(request, response, false));
  // `100 Continue` is sent by the code that reads the body. Otherwise the client gets the response instead.
  server.on('checkContinue', (request, response) => onRequest(request, response, true));
  // Node would refuse any other expectation itself, with a 417 that is not a problem.
  server.on('checkExpectation', (request, response) => onRequest(request, response, false));
  server.on('timeout', destroyIfUnread);
  server.on('clientError', (error, socket) => respondToUnparsable(error, socket as Socket, logger));
}

function onResponseClose(this: ServerResponse): void {
  contextOf(this.req).close();
}

/** Destroys an idle connection, unless its client is waiting for a response. */
function destroyIfUnread(socket: Socket): void {
  const isWaiting = connectionOf(socket).currentResponse !== undefined && socket.writableLength === 0;
  if (!isWaiting) {
    socket.destroy();
  }
}
