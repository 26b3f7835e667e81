import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import type { Request } from 'express';
import type { Access } from './access.js';
import { type Caller, callerOf } from './caller.js';

const DECLARATIONS = Symbol('latchkey:access');

/** The access and the summary that a route declares. */
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

/** Lets anyone call this. The `Authorization` header is not read. */
export const Public = (summary: string): MethodDecorator => declare({ kind: 'public' }, summary);

/** Lets any active user with a session call this. */
export const SignedIn = (summary: string): MethodDecorator => declare({ kind: 'signed-in' }, summary);

/** Lets an active admin with a session call this. */
export const AdminOnly = (summary: string): MethodDecorator => declare({ kind: 'admin-only' }, summary);

/**
 * Lets a key call this if the endpoint was granted to it. A session may call it too: of any active user (`any`), or
 * only of an admin (`admin`). The endpoint works with one Application exactly if its path has `:applicationId`.
 */
export const KeyAccess = (summary: string, { session }: { session: 'any' | 'admin' }): MethodDecorator =>
  declare({ kind: 'key', session }, summary);

/** Returns the declaration of a handler, if it has one. */
export function declarationOf(handler: object): Declaration | undefined {
  return Reflect.getOwnMetadata(DECLARATIONS, handler) as Declaration | undefined;
}

/** Passes the caller that the guard authorized to a handler. */
export const CurrentCaller = createParamDecorator((_data: unknown, context: ExecutionContext): Caller =>
  callerOf(context.switchToHttp().getRequest<Request>()),
);
