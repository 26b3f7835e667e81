import { Injectable } from '@nestjs/common';
import { type Endpoint, endpointId } from '../access/access.js';
import type { JudgedEndpoint } from '../access/decision.js';
import type { CatalogueSource } from '../access/endpoint-catalogue.js';
import type { ServiceCatalogueCopy, ServiceEndpoints } from '../access/service-endpoints.js';
import type { EndpointTree } from '../access/paths/endpoint-tree.js';
import { Config } from '../config/config.js';
import { allRowsOf, CoalescedReads } from '../database/reading/coalesced-reads.js';
import { DecisionReader } from '../database/reading/decision-reader.js';
import { inTime } from '../database/reading/in-time.js';
import { CompiledService, type ServiceRow } from './compiled-service.js';

/** Timeout for reading the whole catalogue. Requests that wait for it have their own deadlines. */
const LOAD_WAIT_MS = 10_000;

/** If there is no service, the query returns only the revision. */
type Row = { revision: number } & (ServiceRow | { service: null });

const REVISION_SQL = 'SELECT revision FROM catalogue_revision WHERE id = 1';
// One query sees one snapshot, so that the endpoints belong to exactly this revision.
const SQL = `SELECT r.revision AS revision, s.service AS service, s.id AS serviceId, s.application_parameter AS applicationParameter,
  s.skipped AS skipped, NULL AS method, '' AS path, 0 AS applicationScoped, '' AS summary, '' AS tag
FROM catalogue_revision r LEFT JOIN services s ON r.id = 1 WHERE r.id = 1
UNION ALL SELECT r.revision, s.service, s.id, s.application_parameter, NULL, e.method, e.path, e.application_scoped, e.summary, e.tag
FROM catalogue_revision r JOIN services s ON r.id = 1 JOIN service_endpoints e ON e.service_id = s.id
WHERE r.id = 1 ORDER BY service, path, method`;

/** The endpoints of all other services at one revision. */
export class CompiledCatalogue implements ServiceCatalogueCopy {
  /** All endpoints of all services, by `endpointId`. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;

  private constructor(
    readonly revision: number,
    private readonly services: ReadonlyMap<string, CompiledService>,
  ) {
    this.endpoints = new Map(
      [...services.values()].flatMap(({ endpoints }) => endpoints.map((endpoint) => [endpointId(endpoint), endpoint])),
    );
  }

  /** Compiles the rows. A service that has not changed is taken from the earlier catalogue. */
  static async of(rows: readonly Row[], earlier: CompiledCatalogue | undefined): Promise<CompiledCatalogue> {
    const services = new Map<string, CompiledService>();
    for (const [service, rowsOfService] of byService(rows)) {
      const known = earlier?.services.get(service);
      services.set(service, known?.isOf(rowsOfService) ? known : await CompiledService.of(rowsOfService));
    }
    return new CompiledCatalogue(rows[0]!.revision, services);
  }

  /** Returns the compiled endpoints of one service; undefined if there is no such service. */
  treeOf(service: string): EndpointTree<JudgedEndpoint & Endpoint> | undefined {
    return this.services.get(service)?.tree;
  }
}

/**
 * Caches the endpoints of other services by revision. Every decision has read the current revision from the database; a
 * copy of another revision is never used.
 */
@Injectable()
export class ServiceCatalogue implements CatalogueSource, ServiceEndpoints {
  private current: CompiledCatalogue | undefined;
  private loading: Promise<CompiledCatalogue> | undefined;

  private readonly revisions: CoalescedReads<'', { revision: number }, readonly { revision: number }[]>;
  private readonly rows: CoalescedReads<'', Row, readonly Row[]>;

  constructor(
    reader: DecisionReader,
    private readonly config: Config,
  ) {
    this.revisions = new CoalescedReads(reader, allRowsOf({ mysql: REVISION_SQL, sqlite: REVISION_SQL }));
    this.rows = new CoalescedReads(reader, allRowsOf({ mysql: SQL, sqlite: SQL }));
  }

  async endpoints(): Promise<ReadonlyMap<string, Endpoint>> {
    // Decisions wait for the same connections, so this query must not hold one for long.
    const rows = await this.revisions.read('', performance.now() + this.config.DECISION_WAIT_MS);
    const catalogue = await this.at(rows[0]!.revision, performance.now() + LOAD_WAIT_MS);
    return catalogue.endpoints;
  }

  /** Returns the cached copy of a revision that was just read. */
  find(revision: number): CompiledCatalogue | undefined {
    return this.current?.revision === revision ? this.current : undefined;
  }

  /**
   * Returns the endpoints of a revision that was just read from the database, or of a later one.
   *
   * @param deadline milliseconds on the clock of `performance.now()`; after it, this rejects with a 503 problem
   */
  async at(revision: number, deadline: number): Promise<CompiledCatalogue> {
    // A load in progress may have started before the revision changed.
    if (!this.find(revision) && this.loading) {
      await inTime(this.loading, deadline);
    }
    // A load that starts now sees this revision or a later one.
    return this.find(revision) ?? inTime((this.loading ??= this.load()), deadline);
  }

  private async load(): Promise<CompiledCatalogue> {
    try {
      const rows = await this.rows.read('', performance.now() + LOAD_WAIT_MS);
      this.current = await CompiledCatalogue.of(rows, this.current);
      return this.current;
    } finally {
      this.loading = undefined;
    }
  }
}

function byService(rows: readonly Row[]): Map<string, ServiceRow[]> {
  const groups = new Map<string, ServiceRow[]>();
  for (const row of rows) {
    if (row.service === null) {
      continue;
    }
    const group = groups.get(row.service);
    if (group) {
      group.push(row);
    } else {
      groups.set(row.service, [row]);
    }
  }
  return groups;
}
