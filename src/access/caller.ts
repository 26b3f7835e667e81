import type { IncomingMessage } from 'node:http';
import type { CallerInLog } from '../http/request-notes.js';
import type { Principal } from './principal.js';

const callers = new WeakMap<IncomingMessage, Principal>();

/** Remembers whom the guard let in. */
export function rememberCaller(request: IncomingMessage, caller: Principal): void {
  callers.set(request, caller);
}

/** Whom the guard let in, if it was somebody. */
export function findCaller(request: IncomingMessage): Principal | undefined {
  return callers.get(request);
}

/** Whom the guard let in. Throws on a public endpoint: there, nobody was asked. */
export function callerOf(request: IncomingMessage): Principal {
  const caller = findCaller(request);
  if (!caller) {
    throw new Error('this endpoint has no caller: it is public');
  }
  return caller;
}

/** As much of a principal as its request's line in the log may tell. */
export function callerInLog(caller: Principal): CallerInLog {
  switch (caller.kind) {
    case 'user':
      return { kind: 'user', id: caller.userId };
    case 'api-key':
      return { kind: 'api-key', id: caller.apiKeyId, hint: caller.hint };
    default:
      return caller satisfies never;
  }
}
