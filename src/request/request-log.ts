import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { requestIdOf } from './request-id.js';
import { clientAddress, type TrustProxy } from './client-address.js';
import { notesOf } from './request-notes.js';

const PATH_LENGTH_MAX = 1000;
/** What monitors ask every few seconds: nobody wants to read that all is well. */
const QUIET = /^\/(?:health\/(?:live|ready)|metrics)$/;

type Level = 'debug' | 'info' | 'warn' | 'error';

/** Writes one line for each request when it has been answered, or its client has gone. */
export function createRequestLog(
  logger: Logger,
  trust: TrustProxy,
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  return (request, response, next) => {
    const began = performance.now();
    const { url } = request;
    // A socket forgets its address when it is closed.
    const address = clientAddress(request, trust);
    response.once('close', () => logRequest(logger, request, response, { began, address, url }));
    next();
  };
}

/**
 * Writes the line of a request. Its level is that of the problem with which it was answered. It tells no query, no header
 * and no body: people put secrets there.
 *
 * @param began when the request arrived, on the clock of `performance.now()`
 * @param address where the request comes from
 * @param url as it arrived: a router may have cut it since
 * @param level of a success
 */
export function logRequest(
  logger: Logger,
  request: IncomingMessage,
  response: ServerResponse,
  {
    began,
    address,
    url = request.url,
    level = 'info',
  }: { began: number; address: string | undefined; url?: string | undefined; level?: Level },
): void {
  const [path = ''] = url?.split('?', 1) ?? [];
  const { caller, problem } = notesOf(request);
  const chosen = problem ? problem.level : QUIET.test(path) ? 'debug' : level;
  if (!logger.isLevelEnabled(chosen)) {
    return;
  }
  const line = {
    requestId: requestIdOf(request),
    method: request.method,
    path: path.slice(0, PATH_LENGTH_MAX),
    // Before anything was sent it is only what the status would have become: nobody was told, and it may not have been done.
    ...(response.headersSent && { status: response.statusCode }),
    durationMs: Math.round((performance.now() - began) * 10) / 10,
    ...(caller && { principal: caller }),
    ...(address !== undefined && { address }),
    ...(problem && { code: problem.code, endpoint: problem.extensions.endpoint }),
    ...(problem && problem.status >= 500 && { err: problem.cause ?? problem }),
  };
  logger[chosen](line, response.writableEnded ? 'answered' : 'aborted');
}
