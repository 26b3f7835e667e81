import type { ExecutionContext } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { Request } from 'express';
import { validationFailed } from '../problems/validation-failed.js';

/**
 * Refuses a query on an endpoint that takes none: a client that sends `?dryRun=true` expects an effect. The DTO of an
 * endpoint that takes a query refuses unknown parameters.
 */
export function refuseUnexpectedQuery(execution: ExecutionContext, request: Request): void {
  // Express parses the query on each access.
  if (!request.url.includes('?')) {
    return;
  }
  const parameters = Object.keys(request.query);
  if (parameters.length > 0 && !takesQuery(execution)) {
    throw validationFailed(
      parameters.map((parameter) => ({ parameter, detail: 'this endpoint takes no query parameters: remove it' })),
    );
  }
}

function takesQuery(execution: ExecutionContext): boolean {
  const declared: unknown = Reflect.getMetadata(ROUTE_ARGS_METADATA, execution.getClass(), execution.getHandler().name);
  return Object.keys(declared ?? {}).some((parameter) => parameter.startsWith(`${RouteParamtypes.QUERY}:`));
}
