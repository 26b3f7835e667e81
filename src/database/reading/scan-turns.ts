import { Injectable } from '@nestjs/common';
import { Config } from '../../config/config.js';
import { Problem } from '../../problems/problem.js';
import { type Engine, engineOf } from '../data-source.js';

/**
 * Queries that may scan at once. SQLite answers within the process, one query at a time, and nothing else happens meanwhile.
 * On MySQL they leave connections of the pool and processors of the server to others.
 */
const RUNNING_MAX: Record<Engine, number> = { sqlite: 1, mysql: 2 };
/** Queries of one caller, and of all callers, that may wait before further scans are refused. */
const WAITING_MAX = { caller: 256, all: 1024 };

/** Runs a query and settles the promise of its caller; never rejects. */
type Job = () => Promise<void>;

/** Runs queries of one read that scans, each in its turn. */
export interface Scan {
  /** Rejects with a `too-busy` problem if the scan has not begun and too many queries wait, or if its client is gone. */
  inTurn<Result>(query: () => Promise<Result>): Promise<Result>;
}

/**
 * Lets queries that scan take turns with everything else, and their callers with each other: however many scans one caller
 * asks for, decisions wait for one query at most, and another caller's scan for one query of each caller.
 */
@Injectable()
export class ScanTurns {
  private readonly runningMax: number;
  /** Jobs by caller. The caller whose turn is next comes first; a caller without jobs is not in it. */
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

  /** Begins a scan of a caller. When the signal is aborted, what waits of it leaves the queue. */
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

  /** A scan that has begun is never refused: half an export would be lost. */
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

  /** Starts one query, and the next one in the next turn of the event loop: requests that have arrived meanwhile come first. */
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
    // Goes behind all other callers.
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
