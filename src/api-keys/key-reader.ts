import { Injectable } from '@nestjs/common';
import type { ApiKeyPrincipal } from '../access/principal.js';
import { hashSecret, isWellFormedSecret } from '../access/secret.js';
import { Clock } from '../config/clock.js';
import { CoalescedReads } from '../database/reading/coalesced-reads.js';
import { DecisionReader } from '../database/reading/decision-reader.js';
import { Metrics } from '../metrics/metrics.js';
import { GrantCache } from './grants/grant-cache.js';
import { faultOf, type KeyFault, type KeyVitals, stateOf } from './key-condition.js';

/** The prefix of every secret. */
export const KEY_PREFIX = 'lkm_';

/** The result of looking up a presented secret. */
export type KeyReading =
  | { kind: 'alive'; principal: ApiKeyPrincipal }
  | { kind: 'dead'; principal: ApiKeyPrincipal; fault: KeyFault }
  | { kind: 'malformed' }
  | { kind: 'unknown' };

/** A key as it is in the database now, and the facts that decide whether it works. */
interface FoundKey {
  vitals: KeyVitals;
  principal: Omit<ApiKeyPrincipal, 'state' | 'grants'>;
}

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
  ownerIsAdmin: number;
  /** A JSON array; null if the key is not limited to Applications. The MySQL driver has already parsed it. */
  applicationIds: string | number[] | null;
}

const select = (hashes: string, arrayOf: string): string => `SELECT r.revision AS revision, k.id AS id,
  k.key_hash AS keyHash, k.name AS name, k.hint AS hint, k.expiry_date AS expiryDate,
  k.all_applications AS allApplications, k.created_by AS createdBy, u.state AS creatorState, u.is_admin AS ownerIsAdmin,
  CASE WHEN k.all_applications = 0 THEN
    (SELECT ${arrayOf}(a.application_id) FROM api_key_applications a WHERE a.api_key_id = k.id)
  END AS applicationIds
FROM catalogue_revision r
LEFT JOIN api_keys k ON k.key_hash IN (${hashes})
LEFT JOIN users u ON u.id = k.created_by
WHERE r.id = 1`;
/** Upper bounds of the histogram's buckets. */
const BATCH_SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500];
const NO_GRANTS: ReadonlySet<string> = new Set();
const MYSQL = select('?', 'JSON_ARRAYAGG');
const SQLITE = select('SELECT value FROM json_each(?)', 'json_group_array');

/**
 * Reads keys for decisions, always from the database and after the request has arrived. The state of a key is never
 * cached.
 */
@Injectable()
export class KeyReader {
  private readonly keys: CoalescedReads<string, Row, FoundKey | undefined>;

  constructor(
    reader: DecisionReader,
    private readonly grants: GrantCache,
    private readonly clock: Clock,
    metrics: Metrics,
  ) {
    const keysPerStatement = metrics
      .histograms(
        'latchkey_key_reader_batch_size',
        'Keys that were looked up with one statement; how many such statements there were is the count.',
        BATCH_SIZES,
      )
      .of({});
    this.keys = new CoalescedReads(reader, {
      statement: (hashes) => {
        keysPerStatement.add(hashes.length);
        return { mysql: MYSQL, sqlite: SQLITE, list: hashes };
      },
      answer: foundIn,
    });
  }

  /**
   * Looks up a presented secret in the database.
   *
   * @param deadline milliseconds on the clock of `performance.now()`; past it this rejects with a 503 problem
   */
  async read(secret: string, deadline: number): Promise<KeyReading> {
    if (!isWellFormedSecret(KEY_PREFIX, secret)) {
      return { kind: 'malformed' };
    }
    const key = await this.keys.read(hashSecret(secret), deadline);
    if (!key) {
      return { kind: 'unknown' };
    }
    const now = this.clock.now();
    const state = stateOf(key.vitals, now);
    const fault = faultOf(key.vitals, now);
    if (fault) {
      return { kind: 'dead', fault, principal: asPrincipal(key, state, NO_GRANTS) };
    }
    const { apiKeyId, catalogueRevision: revision } = key.principal;
    const grants = this.grants.get(apiKeyId, revision) ?? (await this.grants.load(apiKeyId, revision, deadline));
    if (grants.size === 0) {
      // Every key has at least one grant, so this key was deleted between the two reads.
      return { kind: 'unknown' };
    }
    return { kind: 'alive', principal: asPrincipal(key, state, grants) };
  }
}

/** Names each field, because this runs for every decision and a spread takes V8 much longer. */
function asPrincipal({ principal: found }: FoundKey, state: string, grants: ReadonlySet<string>): ApiKeyPrincipal {
  return {
    kind: 'api-key',
    apiKeyId: found.apiKeyId,
    name: found.name,
    hint: found.hint,
    createdBy: found.createdBy,
    ownerIsAdmin: found.ownerIsAdmin,
    expiryDate: found.expiryDate,
    state,
    allApplications: found.allApplications,
    applicationIds: found.applicationIds,
    grants,
    catalogueRevision: found.catalogueRevision,
  };
}

/** Returns a lookup of keys by hash in these rows. */
function foundIn(rows: readonly Row[]): (hash: string) => FoundKey | undefined {
  if (rows.length === 0) {
    throw new Error('the catalogue has no revision');
  }
  const keys = new Map(rows.flatMap((row) => (row.id === null ? [] : [[row.keyHash, keyOf(row.id, row)]])));
  return (hash) => keys.get(hash);
}

function keyOf(apiKeyId: number, row: Row): FoundKey {
  const { applicationIds: ids } = row;
  const applicationIds = new Set(typeof ids === 'string' ? (JSON.parse(ids) as number[]) : ids);
  const expiryDate = Number(row.expiryDate);
  const allApplications = row.allApplications === 1;
  return {
    vitals: {
      creatorState: row.creatorState,
      expiryDate,
      allApplications,
      applicationCount: applicationIds.size,
    },
    principal: {
      kind: 'api-key',
      apiKeyId,
      name: row.name,
      hint: row.hint,
      createdBy: row.createdBy,
      ownerIsAdmin: row.ownerIsAdmin === 1,
      expiryDate,
      allApplications,
      applicationIds,
      catalogueRevision: row.revision,
    },
  };
}
