import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { contextOf } from '../request/request-context.js';
import { Authorizer, type RouteTarget } from './authorizer.js';
import { Caller, callerInLog } from './caller.js';
import { readCredential } from './credentials.js';
import { EndpointCatalogue } from './endpoint-catalogue.js';

/**
 * Finds the endpoint, calls the `Authorizer`, and throws the problem of a refusal. It is the only guard. It writes
 * nothing and knows no feature.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly catalogue: EndpointCatalogue,
    private readonly authorizer: Authorizer,
  ) {}

  async canActivate(execution: ExecutionContext): Promise<true> {
    const began = performance.now();
    const endpoint = this.catalogue.endpointOf(execution.getClass(), execution.getHandler());
    if (endpoint.access.kind === 'public') {
      return true;
    }
    const http = execution.switchToHttp();
    const request = http.getRequest<Request>();
    const context = contextOf(request);
    http.getResponse<Response>().setHeader('Cache-Control', 'no-store');
    // Node emits the request before it parses the rest of the packet. One microtask later, `complete` is up to date.
    await undefined;
    const bodyHadArrived = request.complete;
    const target = targetOf(endpoint, request);
    const outcome = await this.authorizer.authorize('route', readCredential(request), target, began);
    if (outcome.kind === 'refused') {
      if (outcome.key) {
        context.principal = callerInLog(outcome.key);
      }
      throw outcome.problem;
    }
    const { principal, credential } = outcome;
    context.principal = callerInLog(principal);
    context.caller = new Caller({ principal, credential, target, context, bodyHadArrived });
    return true;
  }
}

function targetOf(endpoint: RouteTarget['endpoint'], request: Request): RouteTarget {
  const { applicationParameter } = endpoint;
  const applicationId = applicationParameter === null ? undefined : request.params[applicationParameter];
  return { kind: 'route', endpoint, applicationId: typeof applicationId === 'string' ? applicationId : undefined };
}
