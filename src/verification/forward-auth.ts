import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { type Credential, readCredential } from '../access/credentials.js';
import { inLog } from '../api-keys/api-key-authenticator.js';
import { endAnswer, isArriving } from '../http/end-answer.js';
import { Problem } from '../http/problem.js';
import { sendProblem } from '../http/problem-response.js';
import { requestIdOf } from '../http/request-id.js';
import { logRequest } from '../http/request-log.js';
import { noteCaller } from '../http/request-notes.js';
import type { Decisions } from '../metrics/metrics.js';
import { readForwardedRequest } from './forwarded-request.js';
import type { Judge, Judgement, KnownEndpoint } from './judge.js';

const SCHEME = 'managementkey-v1';
/** A proxy understands these: anything else might be taken for an error of its own, or for permission. */
const REFUSALS = [401, 403, 503];

type Allowed = Extract<Judgement, { kind: 'allowed' }>;

/**
 * Answers proxies that ask, before they pass a request on, whether the key in it may do that: 200 with who it is, or the
 * refusal. It stands ahead of the framework, so that nothing decodes a path or waits for a body first.
 */
export function createForwardAuth(
  judge: Judge,
  decisionWaitMs: number,
  logger: Logger,
  decisions: Decisions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const headers = new EndpointHeaders();

  const refuse = (request: IncomingMessage, response: ServerResponse, problem: Problem, began: number): void => {
    decisions.add(problem.code, began);
    response.setHeader('X-Request-Id', requestIdOf(request));
    // nginx throws the body of a refusal away.
    response.setHeader('X-Latchkey-Error', problem.code);
    sendProblem(request, response, problem);
    logRequest(logger, request, response, { began });
  };

  const answer = async (request: IncomingMessage, response: ServerResponse, began: number): Promise<void> => {
    const deadline = began + decisionWaitMs;
    const question = readForwardedRequest(request);
    if (question === 'dialect-unknown') {
      throw new Problem('endpoint-unknown', 'The dialects of forward auth are forwarded, original and envoy.');
    }
    const judgement = await judge.judge(keyOf(readCredential(request)), question, deadline);
    if (judgement.kind === 'allowed') {
      decisions.add('allowed', began);
      allow(request, response, judgement, headers.of(judgement.endpoint));
      // Proxies log what they let pass themselves, and here it would be tens of thousands of lines in a second.
      if (logger.isLevelEnabled('debug')) {
        noteCaller(request, inLog(judgement.key));
        logRequest(logger, request, response, { began, level: 'debug' });
      }
    } else {
      if (judgement.key) {
        noteCaller(request, inLog(judgement.key));
      }
      refuse(request, response, judgement.problem, began);
    }
  };

  return (request, response) => {
    const began = performance.now();
    answer(request, response, began).catch((error: unknown) => {
      const isRefusal = error instanceof Problem && REFUSALS.includes(error.status);
      const problem = isRefusal ? error : new Problem('decision-failed', undefined, {}, { cause: error });
      refuse(request, response, problem, began);
    });
  };
}

/** A proxy gets a refusal that it understands even if its request could not be read. */
export function refusalOfUnparsable(requestLine: string): Problem | undefined {
  return /^[^ ]* \/v1\/forward_auth[/? ]/.test(requestLine)
    ? new Problem('path-ambiguous', 'The request could not be read as HTTP.')
    : undefined;
}

function keyOf(credential: Credential | undefined): string {
  if (!credential) {
    throw new Problem('credential-missing', 'Present a key: "Authorization: ManagementKey-v1 <key>".');
  }
  if (credential.scheme !== SCHEME) {
    throw new Problem('malformed', 'The Authorization header must be "ManagementKey-v1 <key>".');
  }
  return credential.token;
}

/** All headers are always there: a proxy that copies one which is missing may let the client's own through. */
function allow(request: IncomingMessage, response: ServerResponse, judgement: Allowed, endpoint: string): void {
  const { key, applicationId } = judgement;
  response.writeHead(200, {
    'Content-Length': 0,
    'Cache-Control': 'no-store',
    'X-Latchkey-Key-Id': key.id,
    'X-Latchkey-Key-Name': encodeURIComponent(key.name),
    'X-Latchkey-Created-By': key.createdBy,
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
