import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { endpointId } from '../access/access.js';
import { DecisionReader } from '../database/decision-reader.js';

type Grants = ReadonlySet<string>;

/** Grants kept in memory at the most, over all keys. */
const GRANTS_MAX = 1_000_000;

interface Row {
  apiKeyId: number;
  service: string;
  method: string;
  path: string;
}

const COLUMNS = 'SELECT api_key_id AS apiKeyId, service, method, path FROM api_key_endpoints WHERE api_key_id IN';

/**
 * The grants of keys, by key id. They are written once, with the key, and ids are never given out again, so that what
 * was read once stays true; whether the key is alive is asked of the database every time, elsewhere.
 */
@Injectable()
export class GrantCache {
  private readonly kept = new LRUCache<number, Grants>({
    maxSize: GRANTS_MAX,
    sizeCalculation: (grants) => grants.size,
  });
  private readonly loading = new Map<number, Promise<Grants>>();
  /** One copy of each endpoint's name, shared by all keys. */
  private readonly names = new Map<string, string>();
  private batch: { ids: Set<number>; rows: Promise<Map<number, Grants>> } | undefined;

  constructor(private readonly reader: DecisionReader) {}

  /** The grants of a key, if they are at hand. */
  get(apiKeyId: number): Grants | undefined {
    return this.kept.get(apiKeyId);
  }

  /** Reads the grants of a key; none if it was deleted meanwhile. */
  load(apiKeyId: number, deadline: number): Promise<Grants> {
    let loading = this.loading.get(apiKeyId);
    if (!loading) {
      loading = this.read(apiKeyId, deadline).finally(() => this.loading.delete(apiKeyId));
      this.loading.set(apiKeyId, loading);
    }
    return loading;
  }

  private async read(apiKeyId: number, deadline: number): Promise<Grants> {
    const batch = this.batch ?? this.openBatch(deadline);
    batch.ids.add(apiKeyId);
    const grants = (await batch.rows).get(apiKeyId) ?? new Set<string>();
    if (grants.size > 0) {
      this.kept.set(apiKeyId, grants);
    }
    return grants;
  }

  private openBatch(deadline: number): { ids: Set<number>; rows: Promise<Map<number, Grants>> } {
    const ids = new Set<number>();
    const rows = this.reader
      .read<Row>(() => {
        if (this.batch === batch) {
          this.batch = undefined;
        }
        const list = [...ids];
        return {
          mysql: `${COLUMNS} (?)`,
          sqlite: `${COLUMNS} (SELECT value FROM json_each(?))`,
          parameters: [list],
          sqliteParameters: [JSON.stringify(list)],
        };
      }, deadline)
      .then((found) => this.group(found));
    const batch = { ids, rows };
    this.batch = batch;
    return batch;
  }

  private group(rows: Row[]): Map<number, Grants> {
    const grants = new Map<number, Set<string>>();
    for (const row of rows) {
      const set = grants.get(row.apiKeyId) ?? new Set();
      grants.set(row.apiKeyId, set.add(this.nameOf(endpointId(row))));
    }
    return grants;
  }

  private nameOf(name: string): string {
    const known = this.names.get(name);
    if (known !== undefined) {
      return known;
    }
    this.names.set(name, name);
    return name;
  }
}
