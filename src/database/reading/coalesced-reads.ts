import { type DecisionReader, Sending, type Statement } from './decision-reader.js';
import { Problem } from '../../problems/problem.js';

/** The maximum number of names in one query. */
const BATCH_MAX = 500;
/** Fewer names than this are not split into several queries. */
const SHARE_MIN = 16;
/** How often expired waiters are checked for at most, in milliseconds. */
const LOOK_MS = 5;

/** How to read something from the database by names, such as hashes or ids. */
export interface Question<Name, Row, Found> {
  /** Returns the query for these names. */
  statement(names: readonly Name[]): Statement;
  /** Returns a lookup of the result for each name in these rows. */
  answer(rows: readonly Row[]): (name: Name) => Found;
}

interface Waiter<Found> {
  deadline: number;
  resolve: (found: Found) => void;
  reject: (error: unknown) => void;
}

/** The waiters that will share a query, by name. */
interface Batch<Name, Found> {
  waiters: Map<Name, Waiter<Found>[]>;
  /** Rejects waiters whose deadline has passed. */
  timer: NodeJS.Timeout | undefined;
  /** The query, when it has been sent. */
  sending: Sending | undefined;
}

/** Returns a question without names: each waiter gets all rows. */
export function allRowsOf<Row>(statement: Statement): Question<'', Row, readonly Row[]> {
  return { statement: () => statement, answer: (rows) => () => rows };
}

/**
 * Reads one kind of data for decisions, always from the database and after the request for it. All waiters share the
 * next query that is sent, up to the fair share of each lane. The rest, and later waiters, wait for the following
 * query. Nothing is cached. Each waiter has its own deadline, and a query without waiters is cancelled.
 */
export class CoalescedReads<Name, Row, Found> {
  private open: Batch<Name, Found> | undefined;
  private waiting = 0;

  constructor(
    private readonly reader: DecisionReader,
    private readonly question: Question<Name, Row, Found>,
  ) {}

  /**
   * Reads the current value for a name.
   *
   * @param deadline milliseconds on the clock of `performance.now()`; after it, this rejects with a 503 problem
   */
  read(name: Name, deadline: number): Promise<Found> {
    this.reader.enter();
    this.waiting += 1;
    return new Promise((resolve, reject) => {
      const batch = (this.open ??= this.openBatch());
      add(batch, name, { deadline, resolve, reject });
      batch.timer ??= this.timerOf(batch, deadline);
      if (batch.waiters.size === BATCH_MAX) {
        this.open = undefined;
      }
    });
  }

  private openBatch(): Batch<Name, Found> {
    const batch: Batch<Name, Found> = { waiters: new Map(), timer: undefined, sending: undefined };
    const prepare = (): Sending | undefined => {
      if (this.open === batch) {
        this.open = undefined;
      }
      this.leaveToOthers(batch);
      if (batch.waiters.size > 0) {
        batch.sending = new Sending(this.question.statement([...batch.waiters.keys()]));
      }
      return batch.sending;
    };
    this.reader.read<Row>(prepare).then(
      (rows) => this.settle(batch, rows),
      (error: unknown) => this.end(batch, (waiter) => waiter.reject(error)),
    );
    return batch;
  }

  /**
   * Leaves a share of all waiters to the other lanes. If one query read for everybody, all waiters would get their
   * results and come back together. Process and database would then take turns in doing nothing.
   */
  private leaveToOthers(batch: Batch<Name, Found>): void {
    const share = Math.max(SHARE_MIN, Math.ceil(this.waiting / this.reader.laneCount));
    if (batch.waiters.size <= share) {
      return;
    }
    const rest = this.openBatch();
    for (const [name, waiters] of [...batch.waiters].slice(share)) {
      batch.waiters.delete(name);
      rest.waiters.set(name, waiters);
    }
    this.lookAgain(rest);
    // A batch that is already open may wait for longer.
    this.open ??= rest;
  }

  private settle(batch: Batch<Name, Found>, rows: Row[]): void {
    let found: (name: Name) => Found;
    try {
      found = this.question.answer(rows);
    } catch (error) {
      this.end(batch, (waiter) => waiter.reject(error));
      return;
    }
    this.end(batch, (waiter, name) => waiter.resolve(found(name)));
  }

  /** Settles all waiters of a batch. */
  private end(batch: Batch<Name, Found>, answer: (waiter: Waiter<Found>, name: Name) => void): void {
    clearTimeout(batch.timer);
    for (const [name, waiters] of batch.waiters) {
      this.leave(waiters.length);
      waiters.forEach((waiter) => answer(waiter, name));
    }
    batch.waiters.clear();
  }

  private timerOf(batch: Batch<Name, Found>, deadline: number): NodeJS.Timeout {
    return setTimeout(() => this.refuseLate(batch), Math.max(LOOK_MS, deadline - performance.now()));
  }

  private refuseLate(batch: Batch<Name, Found>): void {
    const now = performance.now();
    for (const [name, waiters] of batch.waiters) {
      const inTime = waiters.filter(({ deadline }) => deadline > now);
      const late = waiters.filter(({ deadline }) => deadline <= now);
      if (inTime.length === 0) {
        batch.waiters.delete(name);
      } else {
        batch.waiters.set(name, inTime);
      }
      this.leave(late.length);
      late.forEach(({ reject }) => reject(new Problem('decision-timeout')));
    }
    this.lookAgain(batch);
    if (batch.waiters.size === 0) {
      batch.sending?.cancel();
    }
  }

  private lookAgain(batch: Batch<Name, Found>): void {
    const deadlines = [...batch.waiters.values()].flat().map(({ deadline }) => deadline);
    batch.timer = deadlines.length === 0 ? undefined : this.timerOf(batch, Math.min(...deadlines));
  }

  private leave(count: number): void {
    this.waiting -= count;
    this.reader.leave(count);
  }
}

function add<Name, Found>(batch: Batch<Name, Found>, name: Name, waiter: Waiter<Found>): void {
  const waiters = batch.waiters.get(name);
  if (waiters) {
    waiters.push(waiter);
  } else {
    batch.waiters.set(name, [waiter]);
  }
}
