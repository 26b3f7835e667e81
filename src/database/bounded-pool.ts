import type { Pool, PoolConnection, Query } from 'mysql2';

type ConnectionCallback = Parameters<Pool['getConnection']>[0];
type QueryCallback = (error: Error | null, ...results: unknown[]) => void;

/**
 * A connection that was not used for so long is asked whether it is alive before it is used: it may have died without a
 * word, when the server's machine was started anew or something in between forgot it.
 */
const TRUSTED_MS = 1000;

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

/** Whether a connection was of use a moment ago. mysql2 notes the time for itself. */
function isTrusted(connection: PoolConnection): boolean {
  const { lastActiveTime } = connection as PoolConnection & { lastActiveTime: number };
  return Date.now() - lastActiveTime < TRUSTED_MS;
}

/** Asks a connection whether its server is still there; if it is not, the connection is closed. */
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
