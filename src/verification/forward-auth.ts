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

/** A proxy understands these: anything else might be taken for an error of its own, or for permission. */
const REFUSALS = [401, 403, 503];

type Allowed = Extract<Outcome, { kind: 'allowed' }>;

/**
 * Responds to proxies that ask, before they pass a request on, whether the key in it may do that: 200 with who it is, or the
 * refusal. It stands ahead of the framework, so that nothing decodes a path or waits for a body first.
 */
export function createForwardAuth(
  authorizer: Authorizer,
  logger: Logger,
  trust: TrustProxy,
): (request: IncomingMessage, response: ServerResponse) => void {
  const headers = new EndpointHeaders();

  const refuse = (request: IncomingMessage, response: ServerResponse, problem: Problem, began: number): void => {
    response.setHeader('X-Request-Id', requestIdOf(request));
    // nginx throws the body of a refusal away.
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
      // Proxies log what they let pass themselves, and here it would be tens of thousands of lines in a second.
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

/** A proxy gets a refusal that it understands even if its request could not be read. */
export function refusalOfUnparsable(requestLine: string): Problem | undefined {
  return /^[^ ]* \/v1\/forward_auth[/? ]/.test(requestLine)
    ? new Problem('path-ambiguous', 'The request could not be read as HTTP.')
    : undefined;
}

/** All headers are always there: a proxy that copies one which is missing may let the client's own through. */
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
    // A body that was announced is not read, so that the next request on this connection could not be found.
    ...(isArriving(request) && { Connection: 'close' }),
  });
  endAnswer(request, response);
}

/** Endpoints as headers can carry them: names of parameters may have any letters. */
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
