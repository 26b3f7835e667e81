import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What is left of a request that was answered already is read and thrown away for so long, in milliseconds. */
export const REST_WAIT_MS = 5000;

/** Connections on which the last answer has been given. */
const closing = new WeakSet<Socket>();

/** Whether a body was announced that has not arrived whole. */
export function isArriving(request: IncomingMessage): boolean {
  const { headers } = request;
  const announced = headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0;
  return announced && !request.complete;
}

/**
 * Ends an answer, whose headers must all be set. If the request is still arriving, all of the answer is sent at once, but the
 * connection stays until the rest has been read and thrown away, or its time is up: a client whose connection is closed
 * while it sends hears of a broken pipe, and may never read why it was refused.
 */
export function endAnswer(request: IncomingMessage, response: ServerResponse, body?: Buffer): void {
  if (!isArriving(request)) {
    response.end(body);
    return;
  }
  closing.add(request.socket);
  response.flushHeaders();
  if (body) {
    response.write(body);
  }
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, REST_WAIT_MS).unref();
  request.once('end', end).once('close', end);
  request.resume();
}

/**
 * Lets nobody act on what comes behind a request whose answer was said to be the last on its connection: Node goes on
 * reading, and would hand it out as one more request. Called when all others listen.
 */
export function ignoreBehindLastAnswer(http: Server): void {
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
    const others = http.listeners(event);
    http.removeAllListeners(event);
    http.on(event, (request: IncomingMessage, response: ServerResponse) => {
      if (!closing.has(request.socket)) {
        others.forEach((other) => void Reflect.apply(other, http, [request, response]));
      }
    });
  }
}
