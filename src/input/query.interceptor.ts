import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { Request } from 'express';
import type { Observable } from 'rxjs';
import { invalid } from '../problems/invalid.js';

/**
 * Refuses a query where an endpoint takes none: whoever writes `?dryRun=true` expects something of it. Endpoints that do
 * take one name their parameters, and refuse the others themselves.
 */
@Injectable()
export class QueryInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const parameters = Object.keys(context.switchToHttp().getRequest<Request>().query);
    if (parameters.length > 0 && !takesQuery(context)) {
      throw invalid(parameters.map((parameter) => ({ parameter, detail: `property ${parameter} should not exist` })));
    }
    return next.handle();
  }
}

function takesQuery(context: ExecutionContext): boolean {
  const declared: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, context.getClass(), context.getHandler().name);
  return Object.keys(declared ?? {}).some((parameter) => parameter.startsWith(`${RouteParamtypes.QUERY}:`));
}
