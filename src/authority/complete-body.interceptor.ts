import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Request } from 'express';
import type { Observable } from 'rxjs';
import { Authorizer } from '../access/authorizer.js';
import { findCaller } from '../access/caller.js';

/**
 * Authorizes again when a body arrived later than its headers. The guard decided before it, and a client may hold the last
 * byte back until its authority has ended. It runs after the interceptor that reads bodies.
 */
@Injectable()
export class CompleteBodyInterceptor implements NestInterceptor {
  constructor(private readonly authorizer: Authorizer) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const caller = findCaller(context.switchToHttp().getRequest<Request>());
    if (caller && !caller.bodyHadArrived) {
      const refusal = await this.authorizer.askAgain(caller);
      if (refusal) {
        throw refusal;
      }
    }
    return next.handle();
  }
}
