import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { Request } from 'express';
import type { Access } from './access.js';
import { type Caller, callerOf } from './caller.js';

const DECLARATIONS = Symbol('latchkey:access');

/** What a route declares about itself. */
export interface Declaration {
  access: Access;
  summary: string;
}

function declare(access: Access, summary: string): MethodDecorator {
  return (target, property, descriptor: PropertyDescriptor) => {
    const handler = descriptor.value as object;
    if (Reflect.hasOwnMetadata(DECLARATIONS, handler)) {
      throw new Error(`${target.constructor.name}.${String(property)} declares its access twice`);
    }
    Reflect.defineMetadata(DECLARATIONS, { access, summary } satisfies Declaration, handler);
    ApiOperation({ summary, operationId: String(property) })(target, property, descriptor);
  };
}

/** Anyone may call this; the `Authorization` header is not even read. */
export const Public = (summary: string): MethodDecorator => declare({ kind: 'public' }, summary);

/** Any active user with a session may call this. */
export const SignedIn = (summary: string): MethodDecorator => declare({ kind: 'signed-in' }, summary);

/** An active admin with a session may call this. */
export const AdminOnly = (summary: string): MethodDecorator => declare({ kind: 'admin-only' }, summary);

/**
 * A key to which this endpoint was granted may call this, and besides any active user with a session (`any`) or only an
 * admin (`admin`). The endpoint works with one Application exactly if its path has `:applicationId`.
 */
export const KeyAccess = (summary: string, { session }: { session: 'any' | 'admin' }): MethodDecorator =>
  declare({ kind: 'key', session }, summary);

/** The declaration of a handler, if it has one. */
export function declarationOf(handler: object): Declaration | undefined {
  return Reflect.getOwnMetadata(DECLARATIONS, handler) as Declaration | undefined;
}

/** Gives a handler the caller that the guard authorized. */
export const CurrentCaller = createParamDecorator((_data: unknown, context: ExecutionContext): Caller =>
  callerOf(context.switchToHttp().getRequest<Request>()),
);
