import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { redact } from '../logging/redaction.js';
import type { Connection } from './connections.js';

/** The parts of a caller that a log may contain. */
export interface CallerInLog {
  kind: 'user' | 'api-key';
  id: number;
  /** The first characters of a secret. */
  hint?: string;
}

/** What a log says about the problem in a response. Every `Problem` fits. */
export interface ProblemInLog {
  readonly code: string;
  readonly status: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly about?: CallerInLog;
  readonly extensions: { readonly endpoint?: string };
  readonly cause?: unknown;
}

const ACCEPTABLE = /^[A-Za-z0-9._-]{1,64}$/;
const CONTEXT = Symbol('latchkey:request-context');

/** A request that has a context. Express replaces the prototype of a request, and keeps its own properties. */
type WithContext = IncomingMessage & { [CONTEXT]?: RequestContext };

/**
 * Holds everything known about one request besides its own content. Higher folders merge their own fields into this
 * interface: `access` adds the caller.
 */
export class RequestContext {
  /** When the request arrived, on the clock of `performance.now()`. */
  readonly began = performance.now();
  /** The request target as it arrived. A router may shorten `request.url`. */
  readonly url: string;
  /** The principal for the log, whether or not it is authorized. */
  principal: CallerInLog | undefined;
  /** The level of the log line if there is no problem. */
  level: 'debug' | 'info' = 'info';
  /** Whether the client waits for `100 Continue` before it sends the body. */
  awaitsContinue = false;
  /** Stops the work of the request for a reason. The code that does the work sets it. */
  onInterrupt: ((reason: Error) => void) | undefined;
  private responseProblem: ProblemInLog | undefined;
  private requestId: string | undefined;
  private isClosed = false;
  private closeListeners: ((context: RequestContext) => void)[] | undefined;

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly connection: Connection,
  ) {
    this.url = request.url!;
    (request as WithContext)[CONTEXT] = this;
  }

  /** Returns the request's id: `X-Request-Id` if it is harmless and no secret, or else a new id. */
  get id(): string {
    this.requestId ??= acceptableId(this.request) ?? randomUUID();
    return this.requestId;
  }

  /**
   * Returns the client's IP address. `TRUST_PROXY` says which proxies may report it. Returns undefined if it is not an
   * IP address.
   */
  get address(): string | undefined {
    return this.connection.clientAddress(this.request);
  }

  /** The problem in the response. It may also name the principal of the request. */
  get problem(): ProblemInLog | undefined {
    return this.responseProblem;
  }

  set problem(problem: ProblemInLog) {
    this.responseProblem = problem;
    this.principal ??= problem.about;
  }

  /** Sends `100 Continue` if the client waits for it. Call it just before the body is read. */
  askForBody(): void {
    if (this.awaitsContinue && !this.response.headersSent) {
      this.response.writeContinue();
    }
    this.awaitsContinue = false;
  }

  /** Calls back when the response has been sent or the client has gone, or at once if that has already happened. */
  onClose(listener: (context: RequestContext) => void): void {
    if (this.isClosed) {
      listener(this);
    } else {
      (this.closeListeners ??= []).push(listener);
    }
  }

  /** Records that the response has been sent or that the client has closed the connection. */
  close(): void {
    if (!this.isClosed) {
      this.isClosed = true;
      this.connection.forget(this);
      this.closeListeners?.forEach((listener) => listener(this));
    }
  }
}

/** Returns the context of a request. Throws if the request did not come through our server. */
export function contextOf(request: IncomingMessage): RequestContext {
  const context = (request as WithContext)[CONTEXT];
  if (!context) {
    throw new Error('this request has no context: it did not come through the server');
  }
  return context;
}

function acceptableId({ headersDistinct }: IncomingMessage): string | undefined {
  const given = headersDistinct['x-request-id'];
  const [id] = given ?? [];
  return id !== undefined && given!.length === 1 && ACCEPTABLE.test(id) && redact(id) === id ? id : undefined;
}
