import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Authorizer } from '../access/authorizer.js';
import type { Caller } from '../access/caller.js';
import { Problem } from '../problems/problem.js';
import { Connections } from '../request/connections.js';
import type { RequestContext } from '../request/request-context.js';

/**
 * The time between two checks of a request, in milliseconds. It is short enough to notice the end of an authority
 * within 1 s.
 */
const ASK_AGAIN_MS = 400;
/** How often the watch looks for requests that are due, in milliseconds. */
const LOOK_MS = 100;

/**
 * Re-authorizes the callers of all requests in progress. When an authority has ended, it aborts the work of the
 * request. If the response has begun, it resets the connection, so that the response never looks complete.
 */
@Injectable()
export class AuthorityWatch implements OnModuleInit, OnApplicationShutdown {
  /**
   * Requests that committed something before their authority ended. They send their own response, whose connection is
   * then reset.
   */
  private readonly toReset = new Map<RequestContext, Problem>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly authorizer: Authorizer,
    private readonly connections: Connections,
  ) {}

  onModuleInit(): void {
    this.timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  /**
   * Passes chunks of a response on. It checks the authority after it reads each chunk and before it passes the chunk
   * on. So nothing that was written after the end of the caller's authority is ever sent. Throws the 401 or 403
   * problem.
   */
  async *whileAuthorized<Chunk>(caller: Caller, chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk> {
    for await (const chunk of chunks) {
      await this.ask(caller);
      yield chunk;
    }
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    this.toReset.forEach((refusal, context) => resetBegunResponse(context, refusal));
    const due = performance.now() - ASK_AGAIN_MS;
    for (const { inProgress } of this.connections) {
      for (const { caller } of inProgress) {
        if (caller && caller.checkedAt <= due && isToBeChecked(caller)) {
          caller.isBeingChecked = true;
          void this.ask(caller)
            // `ask` has already stopped the caller.
            .catch(() => undefined)
            .finally(() => {
              caller.checkedAt = performance.now();
              caller.isBeingChecked = false;
            });
        }
      }
    }
  }

  private async ask(caller: Caller): Promise<void> {
    const refusal = await this.refusalOf(caller);
    if (refusal) {
      this.stop(caller, refusal);
      throw refusal;
    }
  }

  /**
   * Returns the problem if the caller is refused now. Fails closed: a decision that cannot be made counts as a refusal.
   */
  private async refusalOf(caller: Caller): Promise<Problem | undefined> {
    try {
      return await this.authorizer.askAgain(caller);
    } catch (error) {
      return error instanceof Problem ? error : new Problem('decision-failed', undefined, {}, { cause: error });
    }
  }

  private stop(caller: Caller, refusal: Problem): void {
    const { context } = caller;
    if (caller.hasCommitted && !context.response.headersSent) {
      this.toReset.set(context, refusal);
      context.onClose(() => this.toReset.delete(context));
    } else {
      // If the response has not begun, the refusal becomes the response and must arrive.
      resetBegunResponse(context, refusal);
    }
    caller.lose(refusal);
  }
}

function isToBeChecked(caller: Caller): boolean {
  return !caller.isBeingChecked && !caller.hasEndedAuthority && caller.refusal === undefined;
}

/** Resets the connection if its response has begun but is not sent completely. Unsent data is discarded. */
function resetBegunResponse(context: RequestContext, refusal: Problem): void {
  const { response, connection } = context;
  if (response.headersSent && !response.writableFinished) {
    context.problem = refusal;
    connection.socket.resetAndDestroy();
  }
}
