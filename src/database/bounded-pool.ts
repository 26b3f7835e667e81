import type { Pool, PoolConnection, Query } from 'mysql2';

type ConnectionCallback = Parameters<Pool['getConnection']>[0];
type QueryCallback = (error: Error | null, ...results: unknown[]) => void;

/**
 * A connection that was idle for longer than this is pinged before use. It may have been lost without notice, when the
 * server restarted or a network device dropped it.
 */
const TRUSTED_MS = 1000;

/** A database that does not respond. It has the driver's name for a server that refuses connections. */
class DatabaseTimeout extends Error {
  readonly code = 'ETIMEDOUT';
}

/**
 * Limits how long a request waits for a connection of a pool, and for the result of each query, because a frozen or
 * unreachable server sends nothing at all. A connection that timed out is closed, because the server may still be busy
 * with the query.
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
    const take = (): void =>
      getConnection((error, connection) => {
        if (error) {
          settle(error, connection);
        } else if (isTrusted(connection)) {
          settle(null, connection);
        } else {
          ping(connection, waitMs / 2, (isAlive) => (isAlive ? settle(null, connection) : take()));
        }
      });
    const settle: ConnectionCallback = (error, connection) => {
      if (!late) {
        clearTimeout(timer);
        callback(error, connection);
      } else if (!error) {
        connection.release();
      }
    };
    take();
  };
}

/** Returns whether a connection was used recently. mysql2 records the time for its own use. */
function isTrusted(connection: PoolConnection): boolean {
  const { lastActiveTime } = connection as PoolConnection & { lastActiveTime: number };
  return Date.now() - lastActiveTime < TRUSTED_MS;
}

/** Pings the server of a connection. Closes the connection if there is no response. */
function ping(connection: PoolConnection, waitMs: number, callback: (isAlive: boolean) => void): void {
  const settle = (isAlive: boolean): void => {
    if (timer) {
      clearTimeout(timer);
      timer = undefined;
      if (!isAlive) {
        connection.destroy();
      }
      callback(isAlive);
    }
  };
  let timer: NodeJS.Timeout | undefined = setTimeout(() => settle(false), waitMs);
  connection.ping((error) => settle(!error));
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
