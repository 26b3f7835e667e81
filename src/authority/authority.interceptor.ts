import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Request } from 'express';
import { Observable } from 'rxjs';
import { Authorizer } from '../access/authorizer.js';
import { type Caller, findCaller } from '../access/caller.js';

/**
 * Runs a handler under the authority of its caller. It authorizes again first if the body arrived later than the
 * headers: a client may hold back the last byte until its authority has ended. When `AuthorityWatch` notices an end, it
 * responds with the refusal at once, even while the handler works. A request that has committed something sends its own
 * response. Its transaction refuses its next write.
 *
 * It runs after the interceptor that reads bodies, which handles an end itself.
 */
@Injectable()
export class AuthorityInterceptor implements NestInterceptor {
  constructor(private readonly authorizer: Authorizer) {}

  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
    const caller = findCaller(execution.switchToHttp().getRequest<Request>());
    if (!caller) {
      return next.handle();
    }
    return caller.bodyHadArrived ? underAuthority(caller, next) : this.afterBody(caller, next);
  }

  private async afterBody(caller: Caller, next: CallHandler): Promise<Observable<unknown>> {
    const refusal = (await this.authorizer.askAgain(caller)) ?? caller.refusal;
    if (refusal) {
      throw refusal;
    }
    return underAuthority(caller, next);
  }
}

function underAuthority(caller: Caller, next: CallHandler): Observable<unknown> {
  return new Observable((subscriber) => {
    caller.context.onInterrupt = (reason) => {
      if (!caller.hasCommitted) {
        subscriber.error(reason);
      }
    };
    return next.handle().subscribe(subscriber);
  });
}
