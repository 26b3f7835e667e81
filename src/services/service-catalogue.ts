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

/** How long reading the whole catalogue may take. Those who wait for it each have a deadline of their own. */
const LOAD_WAIT_MS = 10_000;

/** Where there is no service at all, the revision comes alone. */
type Row = { revision: number } & (ServiceRow | { service: null });

const REVISION_SQL = 'SELECT revision FROM catalogue_revision WHERE id = 1';
// One statement sees one moment: the endpoints are those of this very revision.
const SQL = `SELECT r.revision AS revision, s.service AS service, s.id AS serviceId, s.application_parameter AS applicationParameter,
  s.skipped AS skipped, NULL AS method, '' AS path, 0 AS applicationScoped, '' AS summary, '' AS tag
FROM catalogue_revision r LEFT JOIN services s ON r.id = 1 WHERE r.id = 1
UNION ALL SELECT r.revision, s.service, s.id, s.application_parameter, NULL, e.method, e.path, e.application_scoped, e.summary, e.tag
FROM catalogue_revision r JOIN services s ON r.id = 1 JOIN service_endpoints e ON e.service_id = s.id
WHERE r.id = 1 ORDER BY service, path, method`;

/** The endpoints of all other services, as they were at one revision. */
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

  /** Compiles what was read; a service that is as it was in an earlier catalogue is taken from there. */
  static async of(rows: readonly Row[], earlier: CompiledCatalogue | undefined): Promise<CompiledCatalogue> {
    const services = new Map<string, CompiledService>();
    for (const [service, rowsOfService] of byService(rows)) {
      const known = earlier?.services.get(service);
      services.set(service, known?.isOf(rowsOfService) ? known : await CompiledService.of(rowsOfService));
    }
    return new CompiledCatalogue(rows[0]!.revision, services);
  }

  /** The endpoints of one service, ready to be matched; undefined if there is no such service. */
  treeOf(service: string): EndpointTree<JudgedEndpoint & Endpoint> | undefined {
    return this.services.get(service)?.tree;
  }
}

/**
 * The endpoints of other services, kept in memory by their revision. Whoever decides has read from the database which
 * revision is the present one; a copy of any other is never used.
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
    // Decisions wait for the same connections: a statement that is short at all other times may not hold one for long.
    const rows = await this.revisions.read('', performance.now() + this.config.DECISION_WAIT_MS);
    const catalogue = await this.at(rows[0]!.revision, performance.now() + LOAD_WAIT_MS);
    return catalogue.endpoints;
  }

  /** The copy of a revision that was just read, if it is at hand. */
  find(revision: number): CompiledCatalogue | undefined {
    return this.current?.revision === revision ? this.current : undefined;
  }

  /**
   * The endpoints of a revision that was just read from the database, or of one that came after it.
   *
   * @param deadline milliseconds on the clock of `performance.now()`; past it this rejects with a 503 problem
   */
  async at(revision: number, deadline: number): Promise<CompiledCatalogue> {
    // A reading that is under way may have begun before the revision changed.
    if (!this.find(revision) && this.loading) {
      await inTime(this.loading, deadline);
    }
    // One that begins now sees what was there when the revision was read, or what came after.
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
