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
 * The authenticated caller of one request, with the endpoint that the guard opened. It is the actor of every write of
 * the request. `AuthorityWatch` calls `lose` when the authority ends. Uploads and writes in progress listen for that.
 */
export class Caller<Kind extends Principal = Principal> {
  readonly kind = 'caller';
  readonly principal: Kind;
  readonly credential: Credential;
  readonly target: RouteTarget;
  readonly context: RequestContext;
  /** The client's address. `TRUST_PROXY` says which proxies may report it. */
  readonly address: string | undefined;
  readonly bodyHadArrived: boolean;
  /** Whether the request has committed a transaction. Its handler then always sends its own response. */
  hasCommitted = false;
  /**
   * Whether the request ended an authority. That may be its own authority, as in a sign-out, and its response must
   * still be sent.
   */
  hasEndedAuthority = false;
  /** When the guard or, later, `AuthorityWatch` last checked the authority, on the clock of `performance.now()`. */
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

  /** Returns a signal that is aborted with the 401 or 403 when the authority ends. */
  get lost(): AbortSignal {
    this.loss ??= new AbortController();
    return this.loss.signal;
  }

  /** Records that the authority has ended, and aborts the work that is done under it. */
  lose(problem: Problem): void {
    this.refusal = problem;
    this.loss ??= new AbortController();
    this.loss.abort(problem);
    this.context.onInterrupt?.(problem);
  }
}

declare module '../request/request-context.js' {
  interface RequestContext {
    /** The caller that the guard authorized. Undefined before that, and on a public endpoint. */
    caller?: Caller;
  }
}

/** Returns the caller that the guard authorized. Returns undefined on a public endpoint. */
export function findCaller(request: IncomingMessage): Caller | undefined {
  return contextOf(request).caller;
}

/** Returns the caller that the guard authorized. Throws on a public endpoint, which has no caller. */
export function callerOf(request: IncomingMessage): Caller {
  const caller = findCaller(request);
  if (!caller) {
    throw new Error('this endpoint has no caller: it is public');
  }
  return caller;
}

/** Returns the signed-in user who is the caller. Throws `endpoint-not-allowed` for a key. */
export function userOf(caller: Caller): UserPrincipal {
  if (caller.principal.kind !== 'user') {
    throw new Problem('endpoint-not-allowed', 'Only a signed-in user may do this, and no key.');
  }
  return caller.principal;
}

/** Returns the parts of a principal that the log line of its request may contain. */
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
