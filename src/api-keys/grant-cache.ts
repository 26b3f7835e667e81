import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { endpointId } from '../access/access.js';
import { CoalescedReads } from '../database/coalesced-reads.js';
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

const select = (ids: string): string =>
  `SELECT api_key_id AS apiKeyId, service, method, path FROM api_key_endpoints WHERE api_key_id IN (${ids})`;
const MYSQL = select('?');
const SQLITE = select('SELECT value FROM json_each(?)');
const NONE: Grants = new Set();

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
  /** One copy of each endpoint's name, shared by all keys. */
  private readonly names = new Map<string, string>();
  private readonly grants: CoalescedReads<number, Row, Grants>;

  constructor(reader: DecisionReader) {
    this.grants = new CoalescedReads(reader, {
      statement: (ids) => ({ mysql: MYSQL, sqlite: SQLITE, list: ids }),
      answer: (rows) => {
        const byKey = this.group(rows);
        byKey.forEach((grants, apiKeyId) => this.kept.set(apiKeyId, grants));
        return (apiKeyId) => byKey.get(apiKeyId) ?? NONE;
      },
    });
  }

  /** The grants of a key, if they are at hand. */
  get(apiKeyId: number): Grants | undefined {
    return this.kept.get(apiKeyId);
  }

  /** Reads the grants of a key; none if it was deleted meanwhile. */
  load(apiKeyId: number, deadline: number): Promise<Grants> {
    return this.grants.read(apiKeyId, deadline);
  }

  private group(rows: readonly Row[]): Map<number, Grants> {
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
