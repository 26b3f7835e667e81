import type { Pool, PoolConnection, Query } from 'mysql2';

type ConnectionCallback = Parameters<Pool['getConnection']>[0];
type QueryCallback = (error: Error | null, ...results: unknown[]) => void;

/** A database that does not answer, by the name that the driver has for one to which no connection can be made. */
class DatabaseTimeout extends Error {
  readonly code = 'ETIMEDOUT';
}

/**
 * Bounds how long anybody waits for a connection of a pool, and for the answer to a statement: a server that is frozen,
 * or that can no longer be reached, says nothing at all. A connection that did not answer in time is closed, because
 * the server may still be busy with what it was asked.
 */
export function boundWaits(pool: Pool, waitMs: number): Pool {
  boundGetConnection(pool, waitMs);
  pool.on('connection', (connection) => boundQueries(connection, waitMs));
  return pool;
}

function boundGetConnection(pool: Pool, waitMs: number): void {
  const getConnection = pool.getConnection.bind(pool);
  pool.getConnection = (callback: ConnectionCallback): void => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      const error = new DatabaseTimeout(`no connection of the pool within ${waitMs} ms`);
      callback(error, undefined as unknown as PoolConnection);
    }, waitMs);
    getConnection((error, connection) => {
      if (!late) {
        clearTimeout(timer);
        callback(error, connection);
      } else if (!error) {
        connection.release();
      }
    });
  };
}

function boundQueries(connection: PoolConnection, waitMs: number): void {
  const query = connection.query.bind(connection) as (...parameters: unknown[]) => Query;
  const bounded = (...parameters: unknown[]): Query => {
    const callback = parameters.pop() as QueryCallback;
    let settled = false;
    const settle: QueryCallback = (error, ...results) => {
      if (!settled) {
        settled = true;
        clearTimeout(timer);
        callback(error, ...results);
      }
    };
    const timer = setTimeout(() => {
      connection.destroy();
      settle(new DatabaseTimeout(`no answer to a statement within ${waitMs} ms`));
    }, waitMs);
    return query(...parameters, settle);
  };
  connection.query = bounded as typeof connection.query;
}
