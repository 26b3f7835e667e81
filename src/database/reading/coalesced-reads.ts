import { type DecisionReader, Sending, type Statement } from './decision-reader.js';
import { Problem } from '../../problems/problem.js';

/** Names in one statement at the most. */
const BATCH_MAX = 500;
/** So few names are not worth more than one statement. */
const SHARE_MIN = 16;
/** How often those whose time is up are looked for at the most, in milliseconds. */
const LOOK_MS = 5;

/** How what is asked for by names, such as hashes or ids, is read from the database. */
export interface Question<Name, Row, Found> {
  /** The statement that reads what stands behind these names. */
  statement(names: readonly Name[]): Statement;
  /** Makes of its rows what was found behind each name. */
  answer(rows: readonly Row[]): (name: Name) => Found;
}

interface Waiter<Found> {
  deadline: number;
  resolve: (found: Found) => void;
  reject: (error: unknown) => void;
}

/** Those who will share a statement, by what they ask for. */
interface Batch<Name, Found> {
  waiters: Map<Name, Waiter<Found>[]>;
  /** Refuses those whose time is up. */
  timer: NodeJS.Timeout | undefined;
  /** The query, once it has been sent. */
  sending: Sending | undefined;
}

/** A question without names: each waiter gets all rows. */
export function allRowsOf<Row>(statement: Statement): Question<'', Row, readonly Row[]> {
  return { statement: () => statement, answer: (rows) => () => rows };
}

/**
 * Reads one kind of thing for decisions: always from the database, always after it was asked for. Whatever waits when a
 * statement is about to go out shares it, up to what is each lane's share; the rest, and whoever comes later, waits for the
 * next. Nothing is kept. Each waiter has its own deadline, and a query without waiters is cancelled.
 */
export class CoalescedReads<Name, Row, Found> {
  private open: Batch<Name, Found> | undefined;
  private waiting = 0;

  constructor(
    private readonly reader: DecisionReader,
    private readonly question: Question<Name, Row, Found>,
  ) {}

  /**
   * What stands behind a name, now.
   *
   * @param deadline milliseconds on the clock of `performance.now()`; past it this rejects with a 503 problem
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
   * Leaves to the other lanes their share of all that wait. If everybody were read together, they would be answered together
   * and come back together, and the process would do nothing while the database works, and the other way round.
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
    // One that is open already may wait for longer.
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

  /** Answers all who wait in a batch. */
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
