import type { IncomingMessage } from 'node:http';
import type { RequestTarget, Target } from '../access/authorizer.js';
import { type RawPath, readRawPath } from '../access/paths/raw-path.js';
import { Problem } from '../problems/problem.js';
import { reasonAgainstHeader } from './misleading-headers.js';

const BASE = '/v1/forward_auth/';

/**
 * Reads the request that a proxy asks about. Each dialect has exactly one source. If a value is missing, repeated or
 * empty there, the path is ambiguous.
 */
export function readForwardedRequest(request: IncomingMessage): Target {
  const url = request.url!;
  const dialectEnd = endOfSegment(url, BASE.length);
  const serviceEnd = endOfSegment(url, dialectEnd + 1);
  const dialect = url.slice(BASE.length, dialectEnd);
  const service = url.slice(dialectEnd + 1, serviceEnd);
  switch (dialect) {
    case 'forwarded':
      return fromHeaders(request, service, url[serviceEnd], 'x-forwarded-method', 'x-forwarded-uri');
    case 'original':
      return fromHeaders(request, service, url[serviceEnd], 'x-original-method', 'x-original-uri');
    case 'envoy': {
      const path = misleadingHeader(request) ?? readRawPath(url.slice(serviceEnd));
      return { kind: 'request', service, method: request.method!, path };
    }
    default:
      return {
        kind: 'nowhere',
        problem: new Problem('endpoint-unknown', 'The dialects of forward auth are forwarded, original and envoy.'),
      };
  }
}

function fromHeaders(
  request: IncomingMessage,
  service: string,
  after: string | undefined,
  methodHeader: string,
  pathHeader: string,
): RequestTarget {
  const headers = request.headersDistinct;
  const methods = headers[methodHeader];
  const paths = headers[pathHeader];
  const method = methods?.length === 1 ? methods[0]! : '';
  const path = paths?.length === 1 ? paths[0]! : '';
  if (method === '') {
    return {
      kind: 'request',
      service,
      method,
      path: ambiguous(`there must be one header ${methodHeader}, and not empty`),
    };
  }
  if (path === '') {
    return {
      kind: 'request',
      service,
      method,
      path: ambiguous(`there must be one header ${pathHeader}, and not empty`),
    };
  }
  if (after === '/') {
    return {
      kind: 'request',
      service,
      method,
      path: ambiguous('it is in the path after the service and in a header as well'),
    };
  }
  return { kind: 'request', service, method, path: misleadingHeader(request) ?? readRawPath(path) };
}

function misleadingHeader({ rawHeaders }: IncomingMessage): RawPath | undefined {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const reason = reasonAgainstHeader(rawHeaders[index]!);
    if (reason !== undefined) {
      return ambiguous(reason);
    }
  }
  return undefined;
}

function ambiguous(reason: string): RawPath {
  return { kind: 'ambiguous', reason };
}

/** Returns where the segment of a request target ends that starts at a position. */
function endOfSegment(url: string, start: number): number {
  for (let index = start; index < url.length; index += 1) {
    const character = url[index];
    if (character === '/' || character === '?') {
      return index;
    }
  }
  return url.length;
}
