import type { IncomingMessage } from 'node:http';
import type { CallerInLog } from '../http/request-notes.js';
import { Problem } from '../http/problem.js';
import type { RouteTarget } from './authorizer.js';
import type { Credential } from './credentials.js';
import type { Principal, UserPrincipal } from './principal.js';

/** What the guard knows about the request that it let in. */
interface LetIn<Kind extends Principal> {
  principal: Kind;
  credential: Credential;
  target: RouteTarget;
  /** Where the request comes from, as far as `TRUST_PROXY` goes. */
  address: string | undefined;
  /** Whether the whole body had arrived when the principal was read. */
  bodyHadArrived: boolean;
}

/**
 * The caller of one request, whom the guard let in for one endpoint: the actor of everything that the request does.
 * Whoever watches over it notes here when the authority has ended; whatever goes on for the request listens.
 */
export class Caller<Kind extends Principal = Principal> {
  readonly kind = 'caller';
  readonly principal: Kind;
  readonly credential: Credential;
  readonly target: RouteTarget;
  readonly address: string | undefined;
  readonly bodyHadArrived: boolean;
  /** Whether the request has written something: its response then tells so, whatever comes after. */
  hasCommitted = false;
  /** Whether the request has ended an authority, perhaps its own, as signing out does: its response is still sent. */
  hasEndedAuthority = false;
  /** Called with the 401 or 403 when the authority has ended. */
  onLoss: ((problem: Problem) => void) | undefined;
  private loss: AbortController | undefined;

  constructor(letIn: LetIn<Kind>) {
    this.principal = letIn.principal;
    this.credential = letIn.credential;
    this.target = letIn.target;
    this.address = letIn.address;
    this.bodyHadArrived = letIn.bodyHadArrived;
  }

  /** Aborted with the 401 or 403 when the authority has ended. */
  get lost(): AbortSignal {
    this.loss ??= new AbortController();
    return this.loss.signal;
  }

  /** Notes that the authority has ended. */
  lose(problem: Problem): void {
    this.loss ??= new AbortController();
    this.loss.abort(problem);
    this.onLoss?.(problem);
  }
}

const callers = new WeakMap<IncomingMessage, Caller>();

/** Remembers whom the guard let in. */
export function rememberCaller(request: IncomingMessage, caller: Caller): void {
  callers.set(request, caller);
}

/** Whom the guard let in, if it was somebody. */
export function findCaller(request: IncomingMessage): Caller | undefined {
  return callers.get(request);
}

/** Whom the guard let in. Throws on a public endpoint, which has no caller. */
export function callerOf(request: IncomingMessage): Caller {
  const caller = findCaller(request);
  if (!caller) {
    throw new Error('this endpoint has no caller: it is public');
  }
  return caller;
}

/** The signed-in user who calls. Throws `endpoint-not-allowed` for a key. */
export function userOf(caller: Caller): UserPrincipal {
  if (caller.principal.kind !== 'user') {
    throw new Problem('endpoint-not-allowed', 'Only a signed-in user may do this, and no key.');
  }
  return caller.principal;
}

/** As much of a principal as its request's line in the log may tell. */
export function callerInLog(principal: Principal): CallerInLog {
  switch (principal.kind) {
    case 'user':
      return { kind: 'user', id: principal.userId };
    case 'api-key':
      return { kind: 'api-key', id: principal.apiKeyId, hint: principal.hint };
    default:
      return principal satisfies never;
  }
}
