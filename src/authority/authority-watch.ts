import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Authorizer } from '../access/authorizer.js';
import type { Caller } from '../access/caller.js';
import { Problem } from '../problems/problem.js';
import { noteProblem } from '../request/request-notes.js';

/** The time between two checks of a request, in milliseconds. It keeps the promise to notice an end within 1 s. */
const ASK_AGAIN_MS = 400;
/** How often the watch looks for requests that are due, in milliseconds. */
const LOOK_MS = 100;

/** A request that is being received, carried out or responded to. */
interface InProgress {
  caller: Caller;
  request: IncomingMessage;
  response: ServerResponse;
  /** When it was last asked about, on the clock of `performance.now()`. */
  askedAt: number;
  isAsking: boolean;
  /** Why the authority has ended, where the request committed something first and still responds by itself. */
  refusal: Problem | undefined;
}

/**
 * Re-authorizes the callers of all requests in progress. When an authority has ended, the work of the request is aborted,
 * and a response that has begun is reset: it never ends as if it were complete.
 */
@Injectable()
export class AuthorityWatch implements OnApplicationShutdown {
  private readonly inProgress = new Map<Caller, InProgress>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly authorizer: Authorizer) {}

  /** Watches over a request, which the guard has just let in, until its response is closed. */
  begin(caller: Caller, request: IncomingMessage, response: ServerResponse): void {
    const askedAt = performance.now();
    this.inProgress.set(caller, { caller, request, response, askedAt, isAsking: false, refusal: undefined });
    response.once('close', () => this.inProgress.delete(caller));
    this.timer ??= setInterval(() => this.look(), LOOK_MS).unref();
  }

  /**
   * Passes chunks of a response on. Each is passed on after a check that began when the chunk had been read: nothing that
   * was written after the end of the caller's authority is ever sent. Throws the 401 or 403 problem.
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
    const due = performance.now() - ASK_AGAIN_MS;
    for (const entry of this.inProgress.values()) {
      if (entry.refusal) {
        cutOff(entry, entry.refusal);
      } else if (entry.askedAt <= due && !entry.isAsking && !entry.caller.hasEndedAuthority) {
        entry.isAsking = true;
        void this.ask(entry.caller)
          // `ask` has told the caller already.
          .catch(() => undefined)
          .finally(() => {
            entry.askedAt = performance.now();
            entry.isAsking = false;
          });
      }
    }
    if (this.inProgress.size === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
    }
  }

  private async ask(caller: Caller): Promise<void> {
    const refusal = await this.refusalOf(caller);
    if (refusal) {
      this.stop(caller, refusal);
      throw refusal;
    }
  }

  /** Fails closed: a decision that cannot be made counts as a refusal. */
  private async refusalOf(caller: Caller): Promise<Problem | undefined> {
    try {
      return await this.authorizer.askAgain(caller);
    } catch (error) {
      return error instanceof Problem ? error : new Problem('decision-failed', undefined, {}, { cause: error });
    }
  }

  private stop(caller: Caller, refusal: Problem): void {
    const entry = this.inProgress.get(caller);
    if (entry && caller.hasCommitted && !entry.response.headersSent) {
      entry.refusal = refusal;
    } else if (entry) {
      // A response that has not begun is going to be the refusal, and must arrive.
      cutOff(entry, refusal);
      this.inProgress.delete(caller);
    }
    caller.lose(refusal);
  }
}

/** Resets the connection of a response that has begun and is not sent completely; unsent data is discarded. */
function cutOff({ request, response }: InProgress, refusal: Problem): void {
  if (response.headersSent && !response.writableFinished) {
    noteProblem(request, refusal);
    request.socket.resetAndDestroy();
  }
}
