import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Observable } from 'rxjs';
import { bodyOf, readBody } from './body.js';
import { refuseUnexpectedQuery } from './unexpected-query.js';

/**
 * Refuses a query that an endpoint does not take, and reads the JSON body. It runs between the guard and the handler, so
 * that unauthorized requests cannot make the process parse anything.
 */
@Injectable()
export class InputInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
    const http = execution.switchToHttp();
    const request = http.getRequest<Request>();
    refuseUnexpectedQuery(execution, request);
    const body = bodyOf(request, execution.getHandler());
    return body ? readBody(request, http.getResponse<Response>(), body).then(() => next.handle()) : next.handle();
  }
}
