import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Problem } from '../../problems/problem.js';
import { type Engine, engineOf } from '../data-source.js';

/**
 * How many queries may scan at once. SQLite runs within the process, one query at a time, and nothing else happens
 * meanwhile. On MySQL, the limit leaves connections of the pool and processors of the server to others.
 */
const RUNNING_MAX: Record<Engine, number> = { sqlite: 1, mysql: 2 };
/** How many queries of one caller, and of all callers, may wait before further scans are refused. */
const WAITING_MAX = { caller: 256, all: 1024 };

/** Runs a query and settles its caller's promise. It never rejects. */
type Job = () => Promise<void>;

/** Runs the queries of one scan, each in its turn. */
export interface Scan {
  /**
   * Rejects with a `too-busy` problem if the scan has not started and too many queries wait, or if its client has
   * disconnected.
   */
  inTurn<Result>(query: () => Promise<Result>): Promise<Result>;
}

/**
 * Lets scans take turns with all other work, and callers with each other. However many scans one caller requests,
 * decisions wait for at most one query, and another caller's scan waits for one query of each caller.
 */
@Injectable()
export class ScanTurns {
  private readonly runningMax: number;
  /** Jobs by caller. The caller with the next turn is first. A caller without jobs is not in the map. */
  private readonly waiting = new Map<string, Set<Job>>();
  private waitingCount = 0;
  private running = 0;
  private resting = false;

  constructor(config: Config) {
    this.runningMax = RUNNING_MAX[engineOf(config)];
  }

  /** How many queries wait for their turn. */
  get waitingNow(): number {
    return this.waitingCount;
  }

  /** Starts a scan of a caller. When the signal is aborted, its waiting queries leave the queue. */
  begin(caller: { kind: string; id: number }, gone?: AbortSignal): Scan {
    const name = `${caller.kind} ${caller.id}`;
    let begun = false;
    return {
      inTurn: async (query) => {
        gone?.throwIfAborted();
        if (!begun) {
          this.refuseBeyondLimits(name);
          begun = true;
        }
        return this.enqueue(name, query, gone);
      },
    };
  }

  /** A scan that has started is never refused, because half an export would be lost. */
  private refuseBeyondLimits(caller: string): void {
    const own = this.waiting.get(caller)?.size ?? 0;
    if (own >= WAITING_MAX.caller) {
      throw new Problem('too-busy', `${own} of your own searches are waiting.`, { retryAfterSeconds: 10 });
    }
    if (this.waitingCount >= WAITING_MAX.all) {
      throw new Problem('too-busy', `${this.waitingCount} searches are waiting.`, { retryAfterSeconds: 10 });
    }
  }

  private enqueue<Result>(caller: string, query: () => Promise<Result>, gone?: AbortSignal): Promise<Result> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.remove(caller, job);
        reject(gone!.reason as Error);
      };
      const job: Job = async () => {
        gone?.removeEventListener('abort', leave);
        try {
          resolve(await query());
        } catch (error) {
          reject(error as Error);
        }
      };
      gone?.addEventListener('abort', leave, { once: true });
      const jobs = this.waiting.get(caller) ?? new Set();
      this.waiting.set(caller, jobs.add(job));
      this.waitingCount += 1;
      this.startNext();
    });
  }

  private remove(caller: string, job: Job): void {
    const jobs = this.waiting.get(caller);
    if (jobs?.delete(job)) {
      this.waitingCount -= 1;
      if (jobs.size === 0) {
        this.waiting.delete(caller);
      }
    }
  }

  /**
   * Starts one query, and the next one in the next turn of the event loop, so that requests which arrived meanwhile go
   * first.
   */
  private startNext(): void {
    const [next] = this.waiting;
    if (this.resting || this.running === this.runningMax || !next) {
      return;
    }
    this.resting = true;
    setImmediate(() => this.endRest());
    const [caller, jobs] = next;
    const [job] = jobs;
    this.remove(caller, job!);
    // Puts the caller behind all others.
    if (this.waiting.delete(caller)) {
      this.waiting.set(caller, jobs);
    }
    this.running += 1;
    void job!().finally(() => {
      this.running -= 1;
      this.startNext();
    });
  }

  private endRest(): void {
    this.resting = false;
    this.startNext();
  }
}
