import { type EntityManager, In, type SelectQueryBuilder } from 'typeorm';
import type { TakeTurn } from '../database/transactions/transaction-runner.js';
import type { ServiceOperation } from './documents/openapi-document.js';
import { ServiceEndpoint } from './service.entity.js';

/** An endpoint as stored in the database. */
export type StoredEndpoint = ServiceOperation & { id: number };

/** How many rows one query writes. SQLite runs in our own thread, and finishes this many within milliseconds. */
const ROWS_PER_STATEMENT = 250;
const COLUMNS = 'service_id, method, path, shape, application_scoped, summary, tag, deprecated';
const ROW = '(?, ?, ?, ?, ?, ?, ?, ?)';

/**
 * Reads the endpoints of a service, ordered by path and METHOD. It reads plain rows, because there may be 20,000 of
 * them.
 */
export async function readEndpoints(
  query: SelectQueryBuilder<ServiceEndpoint>,
  serviceId: number,
): Promise<StoredEndpoint[]> {
  const { alias } = query;
  const properties = ['id', 'method', 'path', 'shape', 'applicationScoped', 'summary', 'tag', 'deprecated'];
  const rows = await query
    .select(properties.map((property) => `${alias}.${property} AS ${property}`))
    .where(`${alias}.serviceId = :serviceId`, { serviceId })
    .orderBy(`${alias}.path`)
    .addOrderBy(`${alias}.method`)
    .getRawMany<
      Omit<StoredEndpoint, 'applicationScoped' | 'deprecated'> & Record<'applicationScoped' | 'deprecated', number>
    >();
  return rows.map((row) => ({
    ...row,
    applicationScoped: row.applicationScoped === 1,
    deprecated: row.deprecated === 1,
  }));
}

/** Adds endpoints to a service. The event loop gets a turn between queries. */
export async function insertEndpoints(
  tx: EntityManager,
  turn: TakeTurn,
  serviceId: number,
  operations: readonly ServiceOperation[],
): Promise<void> {
  for (const batch of batches(operations)) {
    const sql = `INSERT INTO service_endpoints (${COLUMNS}) VALUES ${batch.map(() => ROW).join(', ')}`;
    const parameters = batch.flatMap(({ method, path, shape, applicationScoped, summary, tag, deprecated }) => [
      serviceId,
      method,
      path,
      shape,
      Number(applicationScoped),
      summary,
      tag,
      Number(deprecated),
    ]);
    await tx.query(sql, parameters);
    await turn();
  }
}

/** Deletes endpoints. The event loop gets a turn between queries. */
export async function deleteEndpoints(
  tx: EntityManager,
  turn: TakeTurn,
  endpoints: readonly StoredEndpoint[],
): Promise<void> {
  for (const batch of batches(endpoints)) {
    await tx.delete(ServiceEndpoint, { id: In(batch.map(({ id }) => id)) });
    await turn();
  }
}

function batches<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / ROWS_PER_STATEMENT) }, (_, index) =>
    items.slice(index * ROWS_PER_STATEMENT, (index + 1) * ROWS_PER_STATEMENT),
  );
}
