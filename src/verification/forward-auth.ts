import type { Authorizer, KnownEndpoint, Outcome } from '../access/authorizer.js';
import { callerInLog } from '../access/caller.js';
import { readCredential } from '../access/credentials.js';
import { endResponse, isArriving } from '../request/lingering-close.js';
import { Problem } from '../problems/problem.js';
import { sendProblem } from '../problems/problem-response.js';
import type { RequestContext } from '../request/request-context.js';
import { readForwardedRequest } from './forwarded-request.js';

/** Proxies understand these statuses. A proxy might treat any other as its own error, or as permission. */
const REFUSALS = [401, 403, 503];

type Allowed = Extract<Outcome, { kind: 'allowed' }>;

/**
 * Responds to proxies that ask whether the key of a request may make it: 200 with the caller, or the refusal. It runs
 * before the framework, so that nothing decodes the path or waits for a body first.
 */
export function createForwardAuth(authorizer: Authorizer): (context: RequestContext) => void {
  const headers = new EndpointHeaders();

  const respond = async (context: RequestContext): Promise<void> => {
    const { request, began } = context;
    const target = readForwardedRequest(request);
    const outcome = await authorizer.authorize('forward-auth', readCredential(request), target, began);
    if (outcome.kind === 'allowed') {
      context.principal = callerInLog(outcome.principal);
      allow(context, outcome, headers.of(outcome.endpoint));
    } else {
      if (outcome.key) {
        context.principal = callerInLog(outcome.key);
      }
      refuse(context, understood(outcome.problem));
    }
  };

  return (context) => {
    // Proxies log what they let pass themselves, and here it would be tens of thousands of lines in a second.
    context.level = 'debug';
    respond(context).catch((error: unknown) => {
      refuse(context, understood(error));
    });
  };
}

function refuse({ request, response, id }: RequestContext, problem: Problem): void {
  response.setHeader('X-Request-Id', id);
  // nginx throws the body of a refusal away.
  response.setHeader('X-Latchkey-Error', problem.code);
  sendProblem(request, response, problem);
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
  { request, response, id }: RequestContext,
  { principal, applicationId }: Allowed,
  endpoint: string,
): void {
  if (principal.kind !== 'api-key') {
    throw new Error('forward auth allowed a session');
  }
  response.writeHead(200, {
    'Content-Length': 0,
    'Cache-Control': 'no-store',
    'X-Latchkey-Key-Id': principal.apiKeyId,
    'X-Latchkey-Key-Name': encodeURIComponent(principal.name),
    'X-Latchkey-Created-By': principal.createdBy,
    'X-Latchkey-Application-Id': applicationId ?? '',
    'X-Latchkey-Endpoint': endpoint,
    'X-Request-Id': id,
    // A body that was announced is not read, so that the next request on this connection could not be found.
    ...(isArriving(request) && { Connection: 'close' }),
  });
  endResponse(request, response);
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
