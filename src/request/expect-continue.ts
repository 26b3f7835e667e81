import type { IncomingMessage, ServerResponse } from 'node:http';

/** Requests whose senders wait to be asked for the body. */
const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/** Takes note of a request with `Expect: 100-continue`: whoever is refused need not send a body. */
export function noteExpectation(request: IncomingMessage, response: ServerResponse): void {
  waiting.set(request, response);
}

/** Asks for the body, if the sender of a request waits for that. Called when it is about to be read. */
export function askForBody(request: IncomingMessage): void {
  const response = waiting.get(request);
  waiting.delete(request);
  if (response && !response.headersSent) {
    response.writeContinue();
  }
}
