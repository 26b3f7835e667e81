import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import { validAddress } from '../request/client-address.js';
import { noteCaller } from '../request/request-notes.js';
import { Authorizer, type RouteTarget } from './authorizer.js';
import { Caller, callerInLog, rememberCaller } from './caller.js';
import { readCredential } from './credentials.js';
import { EndpointCatalogue } from './endpoint-catalogue.js';

/**
 * The only guard. It finds the endpoint, calls the `Authorizer`, and throws the problem of a refusal. It writes nothing and
 * knows no feature.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly catalogue: EndpointCatalogue,
    private readonly authorizer: Authorizer,
  ) {}

  async canActivate(context: ExecutionContext): Promise<true> {
    const began = performance.now();
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const endpoint = this.catalogue.endpointOf(context.getClass(), context.getHandler());
    if (endpoint.access.kind === 'public') {
      return true;
    }
    http.getResponse<Response>().setHeader('Cache-Control', 'no-store');
    // Node emits the request before it parses the rest of the packet. One microtask later, `complete` is up to date.
    await undefined;
    const bodyHadArrived = request.complete;
    const target = targetOf(endpoint, request);
    const outcome = await this.authorizer.authorize('route', readCredential(request), target, began);
    if (outcome.kind === 'refused') {
      if (outcome.key) {
        noteCaller(request, callerInLog(outcome.key));
      }
      throw outcome.problem;
    }
    const { principal, credential } = outcome;
    noteCaller(request, callerInLog(principal));
    rememberCaller(
      request,
      new Caller({ principal, credential, target, address: validAddress(request.ip), bodyHadArrived }),
    );
    return true;
  }
}

function targetOf(endpoint: RouteTarget['endpoint'], request: Request): RouteTarget {
  const { applicationParameter } = endpoint;
  const applicationId = applicationParameter === null ? undefined : request.params[applicationParameter];
  return { kind: 'route', endpoint, applicationId: typeof applicationId === 'string' ? applicationId : undefined };
}
