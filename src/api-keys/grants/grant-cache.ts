import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type Grant, grantId } from '../../access/access.js';
import { CoalescedReads } from '../../database/reading/coalesced-reads.js';
import { DecisionReader } from '../../database/reading/decision-reader.js';

type Grants = ReadonlySet<string>;

/** The maximum number of grants in memory, over all keys. */
const GRANTS_MAX = 1_000_000;

interface Row extends Grant {
  apiKeyId: number;
}

interface Kept {
  /** A revision of the catalogue that was read before the grants. */
  revision: number;
  grants: Grants;
}

const select = (ids: string): string =>
  `SELECT api_key_id AS apiKeyId, service, service_id AS serviceId, method, path,
  application_parameter AS applicationParameter FROM api_key_endpoints WHERE api_key_id IN (${ids})`;
const MYSQL = select('?');
const SQLITE = select('SELECT value FROM json_each(?)');
const NONE: Grants = new Set();

/**
 * Caches the grants of keys, by key id. Each change to the grants of an existing key raises the revision of the
 * catalogue in the same transaction. Each decision reads that revision from the database. Grants that were read after a
 * revision are therefore correct until the revision changes. The state of a key is never cached: other code reads it
 * from the database for every decision.
 */
@Injectable()
export class GrantCache {
  private readonly kept = new LRUCache<number, Kept>({
    maxSize: GRANTS_MAX,
    sizeCalculation: ({ grants }) => grants.size,
  });
  /** One copy of each endpoint's name, shared by all keys. */
  private readonly names = new Map<string, string>();
  private readonly grants: CoalescedReads<number, Row, Grants>;

  constructor(reader: DecisionReader) {
    this.grants = new CoalescedReads(reader, {
      statement: (ids) => ({ mysql: MYSQL, sqlite: SQLITE, list: ids }),
      answer: (rows) => {
        const byKey = this.group(rows);
        return (apiKeyId) => byKey.get(apiKeyId) ?? NONE;
      },
    });
  }

  /** Returns the cached grants of a key at a revision that was just read from the database. */
  get(apiKeyId: number, revision: number): Grants | undefined {
    const kept = this.kept.get(apiKeyId);
    return kept?.revision === revision ? kept.grants : undefined;
  }

  /**
   * Reads the grants of a key at a revision that was just read, or at a later one. Returns none if the key was deleted
   * meanwhile.
   */
  async load(apiKeyId: number, revision: number, deadline: number): Promise<Grants> {
    const grants = await this.grants.read(apiKeyId, deadline);
    if (grants.size > 0) {
      this.kept.set(apiKeyId, { revision, grants });
    }
    return grants;
  }

  private group(rows: readonly Row[]): Map<number, Grants> {
    const grants = new Map<number, Set<string>>();
    for (const row of rows) {
      const set = grants.get(row.apiKeyId) ?? new Set();
      grants.set(row.apiKeyId, set.add(this.nameOf(grantId(row))));
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
