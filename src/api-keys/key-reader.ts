import { Injectable } from '@nestjs/common';
import type { ApiKeyPrincipal } from '../access/principal.js';
import { hashSecret, isWellFormedSecret } from '../access/secret.js';
import { Clock } from '../config/clock.js';
import { DecisionReader, type Statement } from '../database/decision-reader.js';
import { Problem } from '../http/problem.js';
import { Metrics } from '../metrics/metrics.js';
import { GrantCache } from './grant-cache.js';
import { faultOf, type KeyFault, type KeyVitals } from './key-condition.js';

/** Every key begins with this. */
export const KEY_PREFIX = 'lkm_';

/** Hashes in one statement at the most. */
const BATCH_MAX = 500;
/** So few hashes are not worth more than one statement. */
const SHARE_MIN = 16;
/** Readings that may wait in one process; more are refused at once. */
const WAITING_MAX = 10_000;

/** A key as the database has it now. */
export interface ReadKey extends KeyVitals {
  id: number;
  name: string;
  hint: string;
  createdBy: number;
  applicationIds: ReadonlySet<number>;
}

/** What was found behind a presented key. */
export type KeyReading =
  | { kind: 'alive'; principal: ApiKeyPrincipal; key: ReadKey; catalogueRevision: number }
  | { kind: 'dead'; code: KeyFault; key: ReadKey; catalogueRevision: number }
  | { kind: 'nothing'; code: 'malformed' | 'unknown' };

interface Row {
  revision: number;
  id: number | null;
  keyHash: string;
  name: string;
  hint: string;
  expiryDate: number;
  allApplications: number;
  createdBy: number;
  creatorState: string;
  applicationId: number | null;
}

interface Found {
  revision: number;
  key: ReadKey | undefined;
}

interface Waiter {
  resolve: (found: Found) => void;
  reject: (error: unknown) => void;
}

type Batch = Map<string, Waiter[]>;

const COLUMNS = `SELECT r.revision AS revision, k.id AS id, k.key_hash AS keyHash, k.name AS name, k.hint AS hint,
  k.expiry_date AS expiryDate, k.all_applications AS allApplications, k.created_by AS createdBy,
  u.state AS creatorState, a.application_id AS applicationId
FROM catalogue_revision r`;
const JOINS = `LEFT JOIN users u ON u.id = k.created_by
LEFT JOIN api_key_applications a ON a.api_key_id = k.id
WHERE r.id = 1`;
const MYSQL = `${COLUMNS} LEFT JOIN api_keys k ON k.key_hash IN (?) ${JOINS}`;
const SQLITE = `${COLUMNS} LEFT JOIN api_keys k ON k.key_hash IN (SELECT value FROM json_each(?)) ${JOINS}`;

/**
 * Reads keys for decisions: always from the database, always after the request has arrived. What waits when a statement is
 * about to go out shares it, up to what is each lane's share; the rest, and whoever comes later, waits for the next. Nothing
 * about a key's life is kept.
 */
@Injectable()
export class KeyReader {
  private open: Batch | undefined;
  private waiting = 0;

  constructor(
    private readonly reader: DecisionReader,
    private readonly grants: GrantCache,
    private readonly clock: Clock,
    private readonly metrics: Metrics,
  ) {}

  /**
   * What stands behind a presented key, now.
   *
   * @param deadline milliseconds on the clock of `performance.now()`; past it this rejects with a 503 problem
   */
  async read(secret: string, deadline: number): Promise<KeyReading> {
    if (!isWellFormedSecret(KEY_PREFIX, secret)) {
      return { kind: 'nothing', code: 'malformed' };
    }
    const { key, revision } = await this.find(hashSecret(secret), deadline);
    if (!key) {
      return { kind: 'nothing', code: 'unknown' };
    }
    const code = faultOf(key, this.clock.now());
    if (code) {
      return { kind: 'dead', code, key, catalogueRevision: revision };
    }
    const grants = this.grants.get(key.id) ?? (await this.grants.load(key.id, deadline));
    if (grants.size === 0) {
      // Every key has at least one: it was deleted between the two reads.
      return { kind: 'nothing', code: 'unknown' };
    }
    const principal: ApiKeyPrincipal = {
      kind: 'api-key',
      apiKeyId: key.id,
      name: key.name,
      hint: key.hint,
      createdBy: key.createdBy,
      expiryDate: key.expiryDate,
      allApplications: key.allApplications,
      applicationIds: key.applicationIds,
      grants,
    };
    return { kind: 'alive', principal, key, catalogueRevision: revision };
  }

  private find(hash: string, deadline: number): Promise<Found> {
    if (this.waiting >= WAITING_MAX) {
      throw new Problem('too-busy', `More than ${WAITING_MAX} decisions are waiting.`);
    }
    this.waiting += 1;
    return new Promise((resolve, reject) => {
      const batch = this.open ?? this.openBatch(deadline);
      const waiters = batch.get(hash);
      if (waiters) {
        waiters.push({ resolve, reject });
      } else {
        batch.set(hash, [{ resolve, reject }]);
      }
      if (batch.size === BATCH_MAX) {
        this.open = undefined;
      }
    });
  }

  private openBatch(deadline: number): Batch {
    const batch: Batch = new Map();
    this.open = batch;
    const close = (): Statement => {
      if (this.open === batch) {
        this.open = undefined;
      }
      this.leaveToOthers(batch, deadline);
      const hashes = [...batch.keys()];
      this.metrics.keysPerStatement.add(hashes.length);
      return { mysql: MYSQL, sqlite: SQLITE, parameters: [hashes], sqliteParameters: [JSON.stringify(hashes)] };
    };
    this.reader.read<Row>(close, deadline).then(
      (rows) => this.settle(batch, rows),
      (error: unknown) => this.fail(batch, error),
    );
    return batch;
  }

  /**
   * Leaves to the other lanes their share of all that wait. If everybody were read together, they would be answered together
   * and come back together, and the process would do nothing while the database works, and the other way round.
   */
  private leaveToOthers(batch: Batch, deadline: number): void {
    const share = Math.max(SHARE_MIN, Math.ceil(this.waiting / this.reader.laneCount));
    if (batch.size <= share) {
      return;
    }
    const { open } = this;
    const rest = this.openBatch(deadline);
    for (const [hash, waiters] of [...batch].slice(share)) {
      batch.delete(hash);
      rest.set(hash, waiters);
    }
    // One that is open already may wait for longer.
    this.open = open ?? rest;
  }

  private settle(batch: Batch, rows: Row[]): void {
    const first = rows[0];
    if (!first) {
      this.fail(batch, new Error('the catalogue has no revision'));
      return;
    }
    const keys = keysOf(rows);
    for (const [hash, waiters] of batch) {
      this.waiting -= waiters.length;
      const found: Found = { revision: first.revision, key: keys.get(hash) };
      waiters.forEach((waiter) => waiter.resolve(found));
    }
  }

  private fail(batch: Batch, error: unknown): void {
    for (const waiters of batch.values()) {
      this.waiting -= waiters.length;
      waiters.forEach((waiter) => waiter.reject(error));
    }
  }
}

/** Gathers the rows of a key, of which there is one for each of its Applications. */
function keysOf(rows: Row[]): Map<string, ReadKey> {
  const keys = new Map<string, ReadKey & { applicationIds: Set<number> }>();
  for (const row of rows) {
    if (row.id === null) {
      continue;
    }
    let key = keys.get(row.keyHash);
    if (!key) {
      key = {
        id: row.id,
        name: row.name,
        hint: row.hint,
        createdBy: row.createdBy,
        creatorState: row.creatorState,
        expiryDate: Number(row.expiryDate),
        allApplications: row.allApplications === 1,
        applicationCount: 0,
        applicationIds: new Set(),
      };
      keys.set(row.keyHash, key);
    }
    if (row.applicationId !== null) {
      key.applicationIds.add(row.applicationId);
      key.applicationCount += 1;
    }
  }
  return keys;
}
