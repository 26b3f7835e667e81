import type { IncomingMessage, ServerResponse } from 'node:http';
import { endAnswer, isArriving } from '../request/end-answer.js';
import { type Problem, FAULTS_MAX } from './problem.js';
import { PROBLEMS } from './problem-codes.js';
import { redact } from '../logging/redaction.js';
import { requestIdOf } from '../request/request-id.js';
import { noteProblem } from '../request/request-notes.js';

/** The header that names the ways to authenticate, with the error words of RFC 6750 where a credential was refused. */
function challenge(problem: Problem): string {
  const error =
    problem.code === 'credential-missing' ? '' : `, error="invalid_token", error_description="${problem.code}"`;
  return `ManagementKey-v1 realm="latchkey"${error}, Bearer realm="latchkey"${error}`;
}

/** The body of a problem as RFC 9457 has it. */
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

/** The same as text, without a key or token that somebody has put where it does not belong, such as into a path. */
export function problemText(problem: Problem, instance: string): string {
  return redact(JSON.stringify(problemBody(problem, instance)));
}

/** Answers with a problem. If the answer has begun already, the connection is cut: half an answer must not look whole. */
export function sendProblem(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  noteProblem(request, problem);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = Buffer.from(problemText(problem, requestIdOf(request)));
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
    // Nobody is interested in the rest of the body; the client need not send all of it to go on.
    response.setHeader('Connection', 'close');
  }
  endAnswer(request, response, request.method === 'HEAD' ? undefined : body);
}
