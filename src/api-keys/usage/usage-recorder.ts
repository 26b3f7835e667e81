import { createHash } from 'node:crypto';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { Endpoint } from '../../access/access.js';
import { system } from '../../access/actor.js';
import type { DecisionObserver } from '../../access/decision-observer.js';
import { Clock } from '../../config/clock.js';
import { engineIn } from '../../database/data-source.js';
import { Transactions } from '../../authority/transactions.js';

const FLUSH_INTERVAL_MS = 5000;
const ROWS_PER_STATEMENT = 1000;
/**
 * The maximum number of separate counters per key and day. Above it, Applications and refused endpoints are counted
 * together.
 */
const COUNTERS_PER_KEY_MAX = 1000;
/** The maximum number of counters in memory. Above it, counters that are already written are dropped. */
const COUNTERS_MAX = 100_000;
const DAY_MS = 24 * 60 * 60 * 1000;

type CountedEndpoint = Pick<Endpoint, 'service' | 'method' | 'path'>;

const NO_ENDPOINT: CountedEndpoint = { service: '', method: '', path: '' };

interface Counter {
  apiKeyId: number;
  day: number;
  endpoint: CountedEndpoint;
  applicationId: number | null;
  outcome: string;
  /** Not yet written. */
  amount: number;
  lastUsed: number;
}

/** The counters of one key on one day, by their identifying fields. */
interface CountersOfKey {
  day: number;
  counters: Map<string, Counter>;
}

const COLUMNS =
  'INSERT INTO api_key_usage (api_key_id, counter, day, service, method, path, application_id, outcome, amount, last_used) VALUES ';
const ROW = '(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';
// Counters of several processes add up.
const ADD = {
  mysql: ` AS counted ON DUPLICATE KEY UPDATE amount = api_key_usage.amount + counted.amount,
  last_used = GREATEST(api_key_usage.last_used, counted.last_used)`,
  sqlite: ` ON CONFLICT (api_key_id, counter) DO UPDATE SET amount = amount + excluded.amount,
  last_used = MAX(last_used, excluded.last_used)`,
};

/**
 * Counts the decisions about keys in memory, and writes the counters every few seconds and at shutdown, so that no
 * decision waits for a write. A killed process loses what it has counted since its last write.
 */
@Injectable()
export class UsageRecorder implements DecisionObserver, OnApplicationShutdown {
  private readonly logger = new Logger('UsageRecorder');
  private keys = new Map<number, CountersOfKey>();
  private size = 0;
  private unwritten = new Set<Counter>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private flushing = 0;

  constructor(
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  record(apiKeyId: number, endpoint: CountedEndpoint | null, applicationId: number | null, outcome: string): void {
    const now = this.clock.now();
    const counter = this.counterOf(apiKeyId, Math.floor(now / DAY_MS), endpoint ?? NO_ENDPOINT, applicationId, outcome);
    if (!counter) {
      return;
    }
    counter.amount += 1;
    counter.lastUsed = now;
    this.unwritten.add(counter);
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  /** Writes the counters that are not yet written. If a write fails, the counters are kept for the next time. */
  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.flushing += 1;
    this.writing = this.writing.then(() => this.write()).finally(() => (this.flushing -= 1));
    return this.writing;
  }

  /** Whether all counters are in the database. */
  get isWritten(): boolean {
    return this.flushing === 0 && this.unwritten.size === 0;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  private counterOf(
    apiKeyId: number,
    day: number,
    endpoint: CountedEndpoint,
    applicationId: number | null,
    outcome: string,
  ): Counter | undefined {
    const ofKey = this.countersOfKey(apiKeyId, day);
    const name = `${endpoint.service} ${endpoint.method} ${endpoint.path} ${applicationId ?? ''} ${outcome}`;
    const known = ofKey.counters.get(name);
    if (known) {
      return known;
    }
    if (ofKey.counters.size >= COUNTERS_PER_KEY_MAX) {
      // The endpoint is always kept for allowed requests: a key has no more of them than grants.
      const together = outcome === 'allowed' ? endpoint : NO_ENDPOINT;
      if (applicationId !== null || together !== endpoint) {
        return this.counterOf(apiKeyId, day, together, null, outcome);
      }
    }
    if (this.size >= COUNTERS_MAX) {
      this.forgetWritten();
      if (this.size >= COUNTERS_MAX) {
        return undefined;
      }
      return this.counterOf(apiKeyId, day, endpoint, applicationId, outcome);
    }
    const counter: Counter = { apiKeyId, day, endpoint, applicationId, outcome, amount: 0, lastUsed: 0 };
    ofKey.counters.set(name, counter);
    this.size += 1;
    return counter;
  }

  private countersOfKey(apiKeyId: number, day: number): CountersOfKey {
    const known = this.keys.get(apiKeyId);
    if (known?.day === day) {
      return known;
    }
    this.size -= known?.counters.size ?? 0;
    const fresh: CountersOfKey = { day, counters: new Map() };
    this.keys.set(apiKeyId, fresh);
    return fresh;
  }

  private forgetWritten(): void {
    for (const [apiKeyId, { counters }] of this.keys) {
      for (const [name, counter] of counters) {
        if (counter.amount === 0) {
          counters.delete(name);
          this.size -= 1;
        }
      }
      if (counters.size === 0) {
        this.keys.delete(apiKeyId);
      }
    }
  }

  private async write(): Promise<void> {
    const taken = [...this.unwritten].map((counter) => ({ counter, amount: counter.amount, ...namedRow(counter) }));
    this.unwritten = new Set();
    taken.forEach(({ counter }) => (counter.amount = 0));
    // The order is always the same, so that processes which write at the same time do not deadlock.
    taken.sort((one, other) => one.counter.apiKeyId - other.counter.apiKeyId || compare(one.hash, other.hash));
    for (let start = 0; start < taken.length; start += ROWS_PER_STATEMENT) {
      const rows = taken.slice(start, start + ROWS_PER_STATEMENT);
      try {
        await this.transactions.write(system('usage'), ({ tx }) =>
          add(
            tx,
            rows.map(({ row, amount }) => row(amount)),
          ),
        );
      } catch (error) {
        this.logger.warn(`counts of usage could not be written and are kept: ${String(error)}`);
        for (const { counter, amount } of rows) {
          counter.amount += amount;
          this.unwritten.add(counter);
        }
      }
    }
    if (this.unwritten.size > 0) {
      this.timer ??= setTimeout(() => void this.flush(), FLUSH_INTERVAL_MS).unref();
    }
  }
}

/** Returns a counter as a row, and the hash of its identifying fields. */
function namedRow(counter: Counter): { hash: string; row: (amount: number) => unknown[] } {
  const { apiKeyId, day, endpoint, applicationId, outcome, lastUsed } = counter;
  const { service, method, path } = endpoint;
  const hash = createHash('sha256')
    .update(JSON.stringify([day, service, method, path, applicationId, outcome]))
    .digest('hex');
  return {
    hash,
    row: (amount) => [apiKeyId, hash, day, service, method, path, applicationId, outcome, amount, lastUsed],
  };
}

async function add(tx: EntityManager, rows: readonly unknown[][]): Promise<void> {
  const values = rows.map(() => ROW).join(', ');
  await tx.query(COLUMNS + values + ADD[engineIn(tx)], rows.flat());
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
