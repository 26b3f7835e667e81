import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Request, Response } from 'express';
import { parseId } from '../http/id.pipe.js';
import { Problem } from '../http/problem.js';
import { noteCaller } from '../http/request-notes.js';
import type { Decisions } from '../metrics/metrics.js';
import { endpointName, type OwnEndpoint } from './access.js';
import type { Authenticator } from './authenticator.js';
import { callerInLog, rememberCaller } from './caller.js';
import { readCredential } from './credentials.js';
import { decide } from './decision.js';
import type { DecisionObserver } from './decision-observer.js';
import type { EndpointCatalogue } from './endpoint-catalogue.js';
import type { Principal } from './principal.js';

/**
 * The one guard: finds the endpoint, asks who is calling, asks the decision, and lets in or throws the problem.
 * It caches nothing, writes nothing and knows no feature.
 */
export class AccessGuard implements CanActivate {
  private readonly authenticators: ReadonlyMap<string, Authenticator>;

  constructor(
    private readonly catalogue: EndpointCatalogue,
    authenticators: readonly Authenticator[],
    private readonly decisionWaitMs: number,
    private readonly observer: DecisionObserver,
    private readonly decisions: Decisions,
  ) {
    this.authenticators = new Map(authenticators.map((authenticator) => [authenticator.scheme, authenticator]));
  }

  async canActivate(context: ExecutionContext): Promise<true> {
    const began = performance.now();
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const endpoint = this.catalogue.endpointOf(context.getClass(), context.getHandler());
    if (endpoint.access.kind === 'public') {
      return true;
    }
    http.getResponse<Response>().setHeader('Cache-Control', 'no-store');
    try {
      await this.letIn(request, endpoint, began + this.decisionWaitMs);
      this.decisions.add('allowed', began);
      return true;
    } catch (error) {
      this.decisions.add(error instanceof Problem ? error.code : 'internal-error', began);
      throw error;
    }
  }

  private async letIn(request: Request, endpoint: OwnEndpoint, deadline: number): Promise<void> {
    const caller = await this.authenticate(request, deadline);
    noteCaller(request, callerInLog(caller));
    const { applicationParameter } = endpoint;
    const applicationId = applicationParameter === null ? undefined : request.params[applicationParameter];
    const decision = decide(endpoint, caller, typeof applicationId === 'string' ? applicationId : undefined);
    if (caller.kind === 'api-key') {
      const outcome = decision.allowed ? 'allowed' : decision.code;
      this.observer.record(caller.apiKeyId, endpoint, decision.allowed ? decision.applicationId : null, outcome);
    }
    if (!decision.allowed) {
      throw new Problem(decision.code, decision.detail, {
        endpoint: endpointName(endpoint),
        ...(typeof applicationId === 'string' && { applicationId: parseId(applicationId) ?? applicationId }),
      });
    }
    rememberCaller(request, caller);
  }

  private async authenticate(request: Request, deadline: number): Promise<Principal> {
    const credential = readCredential(request);
    if (!credential) {
      throw new Problem('credential-missing', 'Present a credential in the Authorization header.');
    }
    const authenticator = this.authenticators.get(credential.scheme);
    if (!authenticator) {
      throw new Problem('malformed', 'The Authorization header must be "ManagementKey-v1 <key>" or "Bearer <token>".');
    }
    return authenticator.authenticate(credential.token, deadline);
  }
}
