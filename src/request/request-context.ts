import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { redact } from '../logging/redaction.js';
import type { Connection } from './connections.js';

/** As much of a caller as a log may tell. */
export interface CallerInLog {
  kind: 'user' | 'api-key';
  id: number;
  /** The first characters of a key. */
  hint?: string;
}

/** What a log tells about the problem with which a request is answered; every `Problem` is one. */
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

/** A request that has a context. A WeakMap from requests to contexts would cost every garbage collection. */
type WithContext = IncomingMessage & { [CONTEXT]?: RequestContext };

/**
 * Everything that is known about one request besides what it says itself. Higher folders add what they know by merging
 * fields into this interface: `access` adds the caller.
 */
export class RequestContext {
  /** When the request arrived, on the clock of `performance.now()`. */
  readonly began = performance.now();
  /** The request target as it arrived: a router may cut `request.url`. */
  readonly url: string;
  /** Who is calling, whether or not they are let in; for the log. */
  principal: CallerInLog | undefined;
  /** The level of the line in the log if there is no problem. */
  level: 'debug' | 'info' = 'info';
  /** Whether the client waits for `100 Continue` before it sends the body. */
  awaitsContinue = false;
  /** Called with the reason when the work of the request must stop. Whoever is working on it sets this. */
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

  /** The request's id: what `X-Request-Id` says if it is harmless and no secret, else created on first use. */
  get id(): string {
    this.requestId ??= acceptableId(this.request) ?? randomUUID();
    return this.requestId;
  }

  /** The client's IP address, as far as proxies are trusted; undefined if it is not an IP address. */
  get address(): string | undefined {
    return this.connection.clientAddress(this.request);
  }

  /** The problem with which the request is answered. It may also tell whose request it is. */
  get problem(): ProblemInLog | undefined {
    return this.responseProblem;
  }

  set problem(problem: ProblemInLog) {
    this.responseProblem = problem;
    this.principal ??= problem.about;
  }

  /** Asks the client for the body if it waits for that. Called when the body is about to be read. */
  askForBody(): void {
    if (this.awaitsContinue && !this.response.headersSent) {
      this.response.writeContinue();
    }
    this.awaitsContinue = false;
  }

  /** Calls back once the response has been sent or the client has gone; at once if that is so already. */
  onClose(listener: (context: RequestContext) => void): void {
    if (this.isClosed) {
      listener(this);
    } else {
      (this.closeListeners ??= []).push(listener);
    }
  }

  /** Notes that the response has been sent or the client has gone. */
  close(): void {
    if (!this.isClosed) {
      this.isClosed = true;
      this.connection.forget(this);
      this.closeListeners?.forEach((listener) => listener(this));
    }
  }
}

/** Returns the context of a request. Throws for one that did not come through our server. */
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
