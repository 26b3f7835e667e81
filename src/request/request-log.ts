import type { Logger } from 'pino';
import type { RequestContext } from './request-context.js';

const PATH_LENGTH_MAX = 1000;
/** What monitors ask every few seconds: nobody wants to read that all is well. */
const QUIET = /^\/(?:health\/(?:live|ready)|metrics)$/;

/**
 * Writes the line of a request that has been answered, or whose client has gone. Its level is that of the problem with which
 * it was answered. It tells no query, no header and no body: people put secrets there.
 */
export function logRequest(logger: Logger, context: RequestContext): void {
  const { request, response, principal, problem, began, url } = context;
  const [path = ''] = url.split('?', 1);
  const level = problem ? problem.level : QUIET.test(path) ? 'debug' : context.level;
  if (!logger.isLevelEnabled(level)) {
    return;
  }
  const { address } = context;
  const line = {
    requestId: context.id,
    method: request.method,
    path: path.slice(0, PATH_LENGTH_MAX),
    // Before anything was sent it is only what the status would have become: nobody was told, and it may not have been done.
    ...(response.headersSent && { status: response.statusCode }),
    durationMs: Math.round((performance.now() - began) * 10) / 10,
    ...(principal && { principal }),
    ...(address !== undefined && { address }),
    ...(problem && { code: problem.code, endpoint: problem.extensions.endpoint }),
    ...(problem && problem.status >= 500 && { err: problem.cause ?? problem }),
  };
  logger[level](line, response.writableEnded ? 'answered' : 'aborted');
}
