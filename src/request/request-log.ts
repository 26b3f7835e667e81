import type { Logger } from 'pino';
import type { RequestContext } from './request-context.js';

const PATH_LENGTH_MAX = 1000;
/** The paths that monitors request every few seconds. Their successes would flood the log. */
const QUIET = /^\/(?:health\/(?:live|ready)|metrics)$/;

/**
 * Writes the log line of a request when its response has been sent or its client has gone. The problem of the response
 * sets the level. The line contains no query, header or body, because they may contain secrets.
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
    // Before the headers are sent, the status was never seen by the client, and the work may not have been done.
    ...(response.headersSent && { status: response.statusCode }),
    durationMs: Math.round((performance.now() - began) * 10) / 10,
    ...(principal && { principal }),
    ...(address !== undefined && { address }),
    ...(problem && { code: problem.code, endpoint: problem.extensions.endpoint }),
    ...(problem && problem.status >= 500 && { err: problem.cause ?? problem }),
  };
  logger[level](line, response.writableEnded ? 'answered' : 'aborted');
}
