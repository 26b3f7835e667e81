import type { IncomingMessage, ServerResponse } from 'node:http';

/** What is left of a request that was answered already is read and thrown away for so long, in milliseconds. */
export const REST_WAIT_MS = 5000;

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
  response.flushHeaders();
  if (body) {
    response.write(body);
  }
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, REST_WAIT_MS);
  request.once('end', end).once('close', end);
  request.resume();
}
