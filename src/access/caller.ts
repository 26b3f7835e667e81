import type { IncomingMessage } from 'node:http';
import { type CallerInLog, contextOf, type RequestContext } from '../request/request-context.js';
import { Problem } from '../problems/problem.js';
import type { RouteTarget } from './authorizer.js';
import type { Credential } from './credentials.js';
import type { Principal, UserPrincipal } from './principal.js';

/** What the guard knows about a request that it authorized. */
interface LetIn<Kind extends Principal> {
  principal: Kind;
  credential: Credential;
  target: RouteTarget;
  context: RequestContext;
  /** Whether the whole body had arrived when the principal was read. */
  bodyHadArrived: boolean;
}

/**
 * The authenticated caller of one request, with the endpoint that the guard opened. It is the actor of every write of the
 * request. `AuthorityWatch` calls `lose` when the authority ends; uploads and writes in progress listen.
 */
export class Caller<Kind extends Principal = Principal> {
  readonly kind = 'caller';
  readonly principal: Kind;
  readonly credential: Credential;
  readonly target: RouteTarget;
  readonly context: RequestContext;
  /** Where the request comes from, as far as `TRUST_PROXY` goes. */
  readonly address: string | undefined;
  readonly bodyHadArrived: boolean;
  /** Whether a transaction of the request was committed. Its handler then responds by itself. */
  hasCommitted = false;
  /** Whether the request ended an authority. It may be its own, as in a sign-out, and its response must still be sent. */
  hasEndedAuthority = false;
  /** When `AuthorityWatch` last checked the authority, on the clock of `performance.now()`; before that the guard did. */
  checkedAt = performance.now();
  /** Whether `AuthorityWatch` is checking the authority. */
  isBeingChecked = false;
  /** The 401 or 403 when the authority has ended. */
  refusal: Problem | undefined;
  private loss: AbortController | undefined;

  constructor(letIn: LetIn<Kind>) {
    this.principal = letIn.principal;
    this.credential = letIn.credential;
    this.target = letIn.target;
    this.context = letIn.context;
    this.address = letIn.context.address;
    this.bodyHadArrived = letIn.bodyHadArrived;
  }

  /** Aborted with the 401 or 403 when the authority has ended. */
  get lost(): AbortSignal {
    this.loss ??= new AbortController();
    return this.loss.signal;
  }

  /** Notes that the authority has ended, and stops what is being done under it. */
  lose(problem: Problem): void {
    this.refusal = problem;
    this.loss ??= new AbortController();
    this.loss.abort(problem);
    this.context.onInterrupt?.(problem);
  }
}

declare module '../request/request-context.js' {
  interface RequestContext {
    /** The caller that the guard authorized; undefined before that, and on a public endpoint. */
    caller?: Caller;
  }
}

/** Returns the caller that the guard authorized; undefined on a public endpoint. */
export function findCaller(request: IncomingMessage): Caller | undefined {
  return contextOf(request).caller;
}

/** Returns the caller that the guard authorized. Throws on a public endpoint, which has none. */
export function callerOf(request: IncomingMessage): Caller {
  const caller = findCaller(request);
  if (!caller) {
    throw new Error('this endpoint has no caller: it is public');
  }
  return caller;
}

/** Returns the signed-in user who calls. Throws `endpoint-not-allowed` for a key. */
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
