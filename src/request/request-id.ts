import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { redact } from '../logging/redaction.js';

const ACCEPTABLE = /^[A-Za-z0-9._-]{1,64}$/;
const ids = new WeakMap<IncomingMessage, string>();

/** The request's id: what `X-Request-Id` says if it is harmless and no secret, else made on first use. */
export function requestIdOf(request: IncomingMessage): string {
  let id = ids.get(request);
  if (id === undefined) {
    const given = request.headersDistinct['x-request-id'];
    id = given?.length === 1 && isAcceptable(given[0]!) ? given[0]! : randomUUID();
    ids.set(request, id);
  }
  return id;
}

function isAcceptable(id: string): boolean {
  return ACCEPTABLE.test(id) && redact(id) === id;
}

/** Answers every request with its id, before anything else can answer it. */
export function answerRequestId(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  response.setHeader('X-Request-Id', requestIdOf(request));
  next();
}
