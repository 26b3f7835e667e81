import type { IncomingMessage, ServerResponse } from 'node:http';
import { Problem } from '../problems/problem.js';

/** Refuses a request of HTTP/1.1 that names no host, as the protocol wants it. */
export function requireHost(
  request: IncomingMessage,
  _response: ServerResponse,
  next: (error?: unknown) => void,
): void {
  const missing = request.httpVersion === '1.1' && request.headers.host === undefined;
  next(missing ? new Problem('request-malformed', 'The request has no Host header.') : undefined);
}
