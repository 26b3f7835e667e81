import type { IncomingMessage, ServerResponse } from 'node:http';
import { endResponse, isArriving } from '../request/lingering-close.js';
import { type Problem, FAULTS_MAX } from './problem.js';
import { PROBLEMS } from './problem-codes.js';
import { redact } from '../logging/redaction.js';
import { contextOf } from '../request/request-context.js';

/**
 * Returns the header that lists the ways to authenticate. For a refused credential, it contains the error words of RFC
 * 6750.
 */
function challenge(problem: Problem): string {
  const error =
    problem.code === 'credential-missing' ? '' : `, error="invalid_token", error_description="${problem.code}"`;
  return `ManagementKey-v1 realm="latchkey"${error}, Bearer realm="latchkey"${error}`;
}

/** Returns the body of a problem as in RFC 9457. */
export function problemBody(problem: Problem, instance: string): Record<string, unknown> {
  const { errors, ...extensions } = problem.extensions;
  return {
    type: `urn:latchkey:problem:${problem.code}`,
    title: PROBLEMS[problem.code].title,
    status: problem.status,
    detail: problem.detail,
    instance: `urn:latchkey:request:${instance}`,
    code: problem.code,
    ...extensions,
    ...(errors && { errors: errors.slice(0, FAULTS_MAX) }),
  };
}

/** Returns the body as text. It redacts secrets and tokens in unexpected places, such as a path. */
export function problemText(problem: Problem, instance: string): string {
  return redact(JSON.stringify(problemBody(problem, instance)));
}

/**
 * Responds with a problem. If a response has already started, it closes the connection, because an incomplete response
 * must not look complete.
 */
export function sendProblem(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  const context = contextOf(request);
  context.problem = problem;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = Buffer.from(problemText(problem, context.id));
  response.statusCode = problem.status;
  for (const name of ['Content-Disposition', 'ETag', 'Transfer-Encoding']) {
    response.removeHeader(name);
  }
  response.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
  response.setHeader('Content-Length', body.length);
  response.setHeader('Cache-Control', 'no-store');
  if (problem.status === 401) {
    response.setHeader('WWW-Authenticate', challenge(problem));
  }
  if (problem.extensions.retryAfterSeconds !== undefined || problem.status === 503) {
    response.setHeader('Retry-After', problem.extensions.retryAfterSeconds ?? 1);
  }
  if (problem.extensions.allow) {
    response.setHeader('Allow', problem.extensions.allow.join(', '));
  }
  if (isArriving(request)) {
    // The client need not send the rest of the body before it continues.
    response.setHeader('Connection', 'close');
  }
  endResponse(request, response, request.method === 'HEAD' ? undefined : body);
}
