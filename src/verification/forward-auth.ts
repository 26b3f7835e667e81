import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Authorizer, KnownEndpoint, Outcome } from '../access/authorizer.js';
import { callerInLog } from '../access/caller.js';
import { readCredential } from '../access/credentials.js';
import { clientAddress, type TrustProxy } from '../request/client-address.js';
import { endAnswer, isArriving } from '../request/end-answer.js';
import { Problem } from '../problems/problem.js';
import { sendProblem } from '../problems/problem-response.js';
import { requestIdOf } from '../request/request-id.js';
import { logRequest } from '../request/request-log.js';
import { noteCaller } from '../request/request-notes.js';
import { readForwardedRequest } from './forwarded-request.js';

/** Proxies understand these statuses. A proxy might treat any other as its own error, or as permission. */
const REFUSALS = [401, 403, 503];

type Allowed = Extract<Outcome, { kind: 'allowed' }>;

/**
 * Responds to proxies that ask whether the key of a request may make it: 200 with the caller, or the refusal. It runs
 * before the framework, so that nothing decodes the path or waits for a body first.
 */
export function createForwardAuth(
  authorizer: Authorizer,
  logger: Logger,
  trust: TrustProxy,
): (request: IncomingMessage, response: ServerResponse) => void {
  const headers = new EndpointHeaders();

  const refuse = (request: IncomingMessage, response: ServerResponse, problem: Problem, began: number): void => {
    response.setHeader('X-Request-Id', requestIdOf(request));
    // nginx discards the body of a refusal.
    response.setHeader('X-Latchkey-Error', problem.code);
    const address = clientAddress(request, trust);
    sendProblem(request, response, problem);
    logRequest(logger, request, response, { began, address });
  };

  const respond = async (request: IncomingMessage, response: ServerResponse, began: number): Promise<void> => {
    const target = readForwardedRequest(request);
    const outcome = await authorizer.authorize('forward-auth', readCredential(request), target, began);
    if (outcome.kind === 'allowed') {
      allow(request, response, outcome, headers.of(outcome.endpoint));
      // Proxies log allowed requests themselves, and there may be tens of thousands of them per second.
      if (logger.isLevelEnabled('debug')) {
        noteCaller(request, callerInLog(outcome.principal));
        const address = clientAddress(request, trust);
        logRequest(logger, request, response, { began, address, level: 'debug' });
      }
    } else {
      if (outcome.key) {
        noteCaller(request, callerInLog(outcome.key));
      }
      refuse(request, response, understood(outcome.problem), began);
    }
  };

  return (request, response) => {
    const began = performance.now();
    respond(request, response, began).catch((error: unknown) => {
      refuse(request, response, understood(error), began);
    });
  };
}

function understood(error: unknown): Problem {
  return error instanceof Problem && REFUSALS.includes(error.status)
    ? error
    : new Problem('decision-failed', undefined, {}, { cause: error });
}

/** Returns a refusal that a proxy understands, even if its request could not be parsed. */
export function refusalOfUnparsable(requestLine: string): Problem | undefined {
  return /^[^ ]* \/v1\/forward_auth[/? ]/.test(requestLine)
    ? new Problem('path-ambiguous', 'The request could not be read as HTTP.')
    : undefined;
}

/** Always sets all headers: if one is missing, a proxy that copies it may let the client's own header through. */
function allow(
  request: IncomingMessage,
  response: ServerResponse,
  { principal, applicationId }: Allowed,
  endpoint: string,
): void {
  if (principal.kind !== 'api-key') {
    throw new Error('a proxy was told that a session may pass');
  }
  response.writeHead(200, {
    'Content-Length': 0,
    'Cache-Control': 'no-store',
    'X-Latchkey-Key-Id': principal.apiKeyId,
    'X-Latchkey-Key-Name': encodeURIComponent(principal.name),
    'X-Latchkey-Created-By': principal.createdBy,
    'X-Latchkey-Application-Id': applicationId ?? '',
    'X-Latchkey-Endpoint': endpoint,
    'X-Request-Id': requestIdOf(request),
    // The body is not read, so that the next request on this connection could not be parsed.
    ...(isArriving(request) && { Connection: 'close' }),
  });
  endAnswer(request, response);
}

/** Encodes endpoints for headers, because names of parameters may contain any letters. */
class EndpointHeaders {
  private readonly texts = new WeakMap<KnownEndpoint, string>();

  of(endpoint: KnownEndpoint): string {
    let text = this.texts.get(endpoint);
    if (text === undefined) {
      text = `${endpoint.method} ${endpoint.path.replace(/[^!-~]/gu, encodeURIComponent)}`;
      this.texts.set(endpoint, text);
    }
    return text;
  }
}
