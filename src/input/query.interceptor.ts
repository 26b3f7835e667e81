import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { Request } from 'express';
import type { Observable } from 'rxjs';
import { invalid } from '../problems/invalid.js';

/**
 * Refuses a query on endpoints that take none, because clients that send `?dryRun=true` expect an effect. Endpoints
 * with a query validate its parameters themselves.
 */
@Injectable()
export class QueryInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const parameters = Object.keys(context.switchToHttp().getRequest<Request>().query);
    if (parameters.length > 0 && !takesQuery(context)) {
      throw invalid(
        parameters.map((parameter) => ({ parameter, detail: 'this endpoint takes no query parameters: remove it' })),
      );
    }
    return next.handle();
  }
}

function takesQuery(context: ExecutionContext): boolean {
  const declared: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), context.getHandler().name);
  return Object.keys(declared ?? {}).some((parameter) => parameter.startsWith(`${RouteParamtypes.QUERY}:`));
}
