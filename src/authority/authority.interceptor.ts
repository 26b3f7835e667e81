import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Observable } from 'rxjs';
import { findCaller } from '../access/caller.js';
import { AuthorityWatch } from './authority-watch.js';

/**
 * Registers each request with `AuthorityWatch`, and responds with the refusal as soon as the authority has ended, even while
 * the body arrives or the handler works. A request that has committed something responds by itself: its next write is
 * refused by its transaction.
 */
@Injectable()
export class AuthorityInterceptor implements NestInterceptor {
  constructor(private readonly watch: AuthorityWatch) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const request = http.getRequest<Request>();
    const caller = findCaller(request);
    if (!caller) {
      return next.handle();
    }
    this.watch.begin(caller, request, http.getResponse<Response>());
    return new Observable((subscriber) => {
      caller.onLoss = (problem) => {
        if (!caller.hasCommitted) {
          subscriber.error(problem);
        }
      };
      return next.handle().subscribe(subscriber);
    });
  }
}
