import { Injectable } from '@nestjs/common';
import type { Endpoint } from '../access/access.js';
import type { JudgedEndpoint } from '../access/decision.js';
import type { CatalogueSource } from '../access/endpoint-catalogue.js';
import { EndpointTree } from '../access/endpoint-tree.js';
import { Config } from '../config/config.js';
import { DecisionReader } from '../database/decision-reader.js';
import { inTime } from '../database/in-time.js';

import { shadowOfStored, type SkippedOperation } from './openapi-document.js';

/** An endpoint of another service. Sessions do not open it: only keys do. */
export interface ForeignEndpoint extends Endpoint {
  access: { kind: 'key'; session: 'none' };
}

/** How long reading the whole catalogue may take. Those who wait for it each have a deadline of their own. */
const LOAD_WAIT_MS = 10_000;

interface Row {
  revision: number;
  service: string | null;
  skipped: string | null;
  applicationParameter: string;
  method: string | null;
  path: string;
  applicationScoped: number;
  summary: string;
  tag: string;
}

const REVISION_SQL = 'SELECT revision FROM catalogue_revision WHERE id = 1';
// One statement sees one moment: the endpoints are those of this very revision.
const SQL = `SELECT r.revision AS revision, s.service AS service, s.application_parameter AS applicationParameter,
  s.skipped AS skipped, NULL AS method, '' AS path, 0 AS applicationScoped, '' AS summary, '' AS tag
FROM catalogue_revision r LEFT JOIN services s ON r.id = 1 WHERE r.id = 1
UNION ALL SELECT r.revision, s.service, s.application_parameter, NULL, e.method, e.path, e.application_scoped, e.summary, e.tag
FROM catalogue_revision r JOIN services s ON r.id = 1 JOIN service_endpoints e ON e.service_id = s.id
WHERE r.id = 1 ORDER BY service, path, method`;

interface CompiledService {
  endpoints: ForeignEndpoint[];
  skipped: SkippedOperation[];
}

/** The endpoints of all other services, as they were at one revision. */
export class CompiledCatalogue {
  private readonly trees = new Map<string, EndpointTree<ForeignEndpoint>>();

  constructor(
    readonly revision: number,
    private readonly services: ReadonlyMap<string, CompiledService>,
  ) {}

  /** All endpoints of all services. */
  endpoints(): ForeignEndpoint[] {
    return [...this.services.values()].flatMap(({ endpoints }) => endpoints);
  }

  /** The endpoints of one service, ready to be matched; undefined if there is no such service. */
  treeOf(service: string): EndpointTree<JudgedEndpoint & Endpoint> | undefined {
    let tree = this.trees.get(service);
    const known = this.services.get(service);
    if (!tree && known) {
      tree = new EndpointTree<ForeignEndpoint>();
      for (const endpoint of known.endpoints) {
        tree.add(endpoint.method, endpoint.path, endpoint);
      }
      for (const operation of known.skipped) {
        const shadow = shadowOfStored(operation);
        if (shadow) {
          tree.addShadow(operation.path, shadow);
        }
      }
      this.trees.set(service, tree);
    }
    return tree;
  }
}

/**
 * The endpoints of other services, kept in memory by their revision. Whoever decides has read from the database which
 * revision is the present one; a copy of any other is never used.
 */
@Injectable()
export class ServiceCatalogue implements CatalogueSource {
  private current: CompiledCatalogue | undefined;
  private loading: Promise<CompiledCatalogue> | undefined;

  constructor(
    private readonly reader: DecisionReader,
    private readonly config: Config,
  ) {}

  async endpoints(): Promise<Endpoint[]> {
    // Decisions wait for the same connections: a statement that is short at all other times may not hold one for long.
    const statement = { mysql: REVISION_SQL, sqlite: REVISION_SQL };
    const deadline = performance.now() + this.config.DECISION_WAIT_MS;
    const rows = await this.reader.readAlone<{ revision: number }>(statement, deadline);
    const catalogue = await this.at(rows[0]!.revision, performance.now() + LOAD_WAIT_MS);
    return catalogue.endpoints();
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
      const statement = { mysql: SQL, sqlite: SQL };
      const rows = await this.reader.readAlone<Row>(statement, performance.now() + LOAD_WAIT_MS);
      const catalogue = compile(rows);
      this.current = catalogue;
      return catalogue;
    } finally {
      this.loading = undefined;
    }
  }
}

function compile(rows: readonly Row[]): CompiledCatalogue {
  const services = new Map<string, CompiledService>();
  for (const row of rows) {
    if (row.service === null) {
      continue;
    }
    const service = services.get(row.service) ?? { endpoints: [], skipped: [] };
    services.set(row.service, service);
    if (row.skipped !== null) {
      service.skipped = JSON.parse(row.skipped) as SkippedOperation[];
    }
    if (row.method !== null) {
      const scoped = row.applicationScoped === 1;
      service.endpoints.push({
        service: row.service,
        method: row.method,
        path: row.path,
        scope: scoped ? 'application' : 'account',
        applicationParameter: scoped ? row.applicationParameter : null,
        summary: row.summary,
        tag: row.tag,
        grantable: true,
        access: { kind: 'key', session: 'none' },
      });
    }
  }
  return new CompiledCatalogue(rows[0]!.revision, services);
}
