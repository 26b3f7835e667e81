import type { IncomingMessage, ServerResponse } from 'node:http';
import { contextOf, type RequestContext } from './request-context.js';

/** How long a lingering close keeps draining a rejected request, in milliseconds. */
export const LINGERING_CLOSE_MS = 5000;

/** Returns whether the request has a body that has not arrived completely. */
export function isArriving(request: IncomingMessage): boolean {
  const { headers } = request;
  const announced = headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0;
  return announced && !request.complete;
}

/**
 * Ends a response whose headers are all set. If the request is still arriving, it sends the whole response at once and
 * then drains the request: this is a lingering close. If the connection closed while the client sends, the client would
 * get a broken pipe and might never read why it was refused.
 */
export function endResponse(request: IncomingMessage, response: ServerResponse, body?: Buffer): void {
  if (!isArriving(request)) {
    response.end(body);
    return;
  }
  contextOf(request).connection.isClosing = true;
  response.flushHeaders();
  if (body) {
    response.write(body);
  }
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, LINGERING_CLOSE_MS).unref();
  request.once('end', end).once('close', end);
  request.resume();
}

/** Closes the connection of a request that has its response, unless the rest of the request arrives soon. */
export function boundUnfinishedRequest({ request, connection: { socket } }: RequestContext): void {
  if (request.complete || socket.destroyed) {
    return;
  }
  const timer = setTimeout(() => socket.destroy(), LINGERING_CLOSE_MS).unref();
  for (const event of ['end', 'close']) {
    request.once(event, () => clearTimeout(timer));
  }
}
