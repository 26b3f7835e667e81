import { setImmediate } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Endpoint } from '../access/access.js';
import { EndpointTree, TemplateConflict, UngrantableTemplate } from '../access/paths/endpoint-tree.js';
import { readUngrantablePattern } from '../access/paths/ungrantable-pattern.js';
import { patternOfStored, type SkippedOperation } from './documents/openapi-document.js';

/** An endpoint of another service. Only keys open it, sessions do not. */
export interface ForeignEndpoint extends Endpoint {
  access: { kind: 'key'; session: 'none' };
}

/** One row of a service in the database: the service itself, which has no METHOD, or one of its endpoints. */
export interface ServiceRow {
  service: string;
  serviceId: number;
  skipped: string | null;
  applicationParameter: string;
  method: string | null;
  path: string;
  applicationScoped: number;
  summary: string;
  tag: string;
}

/** How many rows are compiled before the event loop gets a turn. */
const ROWS_PER_TURN = 200;
const logger = new Logger('ServiceCatalogue');

/** The endpoints of one service, compiled for matching. */
export class CompiledService {
  readonly tree = new EndpointTree<ForeignEndpoint>();
  readonly endpoints: ForeignEndpoint[] = [];
  private readonly faults: string[] = [];

  private constructor(private readonly rows: readonly ServiceRow[]) {}

  /** Compiles the rows of one service. The event loop gets turns in between. */
  static async of(rows: readonly ServiceRow[]): Promise<CompiledService> {
    const compiled = new CompiledService(rows);
    for (const [index, row] of rows.entries()) {
      if (index % ROWS_PER_TURN === ROWS_PER_TURN - 1) {
        await setImmediate();
      }
      compiled.take(row);
    }
    compiled.tellFaults();
    return compiled;
  }

  /** Returns whether compiling these rows would give this object. */
  isOf(rows: readonly ServiceRow[]): boolean {
    return rows.length === this.rows.length && rows.every((row, index) => isSame(row, this.rows[index]!));
  }

  private take(row: ServiceRow): void {
    if (row.method !== null) {
      this.takeEndpoint(endpointOf(row, row.method));
    } else if (row.skipped !== null) {
      for (const operation of JSON.parse(row.skipped) as SkippedOperation[]) {
        const { pattern, by } = patternOfStored(operation);
        if (pattern) {
          this.tree.addUngrantable(operation.path, pattern, by);
        }
      }
    }
  }

  /**
   * An earlier version may have stored an operation that this version cannot match. The operation is denied, and so are
   * requests that could mean it.
   */
  private takeEndpoint(endpoint: ForeignEndpoint): void {
    try {
      this.tree.add(endpoint.method, endpoint.path, endpoint);
      this.endpoints.push(endpoint);
    } catch (error) {
      if (!(error instanceof UngrantableTemplate || error instanceof TemplateConflict)) {
        throw error;
      }
      this.faults.push(error.message);
      const pattern = readUngrantablePattern(endpoint.path, () => false);
      if (pattern) {
        this.tree.addUngrantable(endpoint.path, pattern);
      }
    }
  }

  private tellFaults(): void {
    const [first] = this.faults;
    if (first !== undefined) {
      const { service } = this.rows[0]!;
      logger.error(
        `${this.faults.length} endpoints of the service "${service}" are denied: register it anew. ${first}`,
      );
    }
  }
}

function endpointOf(row: ServiceRow, method: string): ForeignEndpoint {
  const isScoped = row.applicationScoped === 1;
  return {
    service: row.service,
    serviceId: row.serviceId,
    method,
    path: row.path,
    scope: isScoped ? 'application' : 'account',
    applicationParameter: isScoped ? row.applicationParameter : null,
    summary: row.summary,
    tag: row.tag,
    grantable: true,
    access: { kind: 'key', session: 'none' },
  };
}

function isSame(one: ServiceRow, other: ServiceRow): boolean {
  return (
    one.service === other.service &&
    one.serviceId === other.serviceId &&
    one.skipped === other.skipped &&
    one.applicationParameter === other.applicationParameter &&
    one.method === other.method &&
    one.path === other.path &&
    one.applicationScoped === other.applicationScoped &&
    one.summary === other.summary &&
    one.tag === other.tag
  );
}
