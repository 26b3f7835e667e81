import { Problem } from '../problems/problem.js';

/** A write violated a unique index: the row already exists. */
export class UniqueViolation extends Error {}

/** A write violated a foreign key: the referenced row is missing, or a row to delete is still referenced. */
export class ForeignKeyViolation extends Error {}

/** Returns the driver's name of an error, such as `ER_DUP_ENTRY` or `SQLITE_BUSY`. */
export function driverCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) {
    return '';
  }
  if ('driverError' in error) {
    return driverCode(error.driverError);
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Returns whether the connection to MySQL is lost. Errors that mysql2 calls fatal belong to the connection. */
export function isConnectionLost(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) {
    return false;
  }
  return 'driverError' in error ? isConnectionLost(error.driverError) : 'fatal' in error && error.fatal === true;
}

const REPEATABLE = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT']);

/** Returns whether a transaction failed only because of other transactions, so that repeating it may succeed. */
export function isRepeatable(error: unknown): boolean {
  return REPEATABLE.has(driverCode(error));
}

/** Returns whether another connection holds SQLite's lock. */
export function isSqliteBusy(error: unknown): boolean {
  return driverCode(error).startsWith('SQLITE_BUSY');
}

/** Converts a driver error to a violation or a problem. Returns any other error unchanged. */
export function translateDriverError(error: unknown): unknown {
  const code = driverCode(error);
  switch (code) {
    case 'ER_DUP_ENTRY':
    case 'SQLITE_CONSTRAINT_UNIQUE':
    case 'SQLITE_CONSTRAINT_PRIMARYKEY':
      return new UniqueViolation('unique', { cause: error });
    case 'ER_ROW_IS_REFERENCED_2':
    case 'ER_NO_REFERENCED_ROW_2':
    case 'SQLITE_CONSTRAINT_FOREIGNKEY':
      return new ForeignKeyViolation('foreign key', { cause: error });
    case 'ER_LOCK_DEADLOCK':
    case 'ER_LOCK_WAIT_TIMEOUT':
      return new Problem('database-busy', undefined, {}, { cause: error });
    case 'ER_RECORD_FILE_FULL':
    case 'ER_DISK_FULL':
    case 'ER_DISK_FULL_NOWAIT':
    case 'SQLITE_FULL':
      return new Problem('storage-full', undefined, {}, { cause: error });
    case 'ER_OPTION_PREVENTS_STATEMENT':
    case 'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION':
    case 'ER_READ_ONLY_MODE':
    case 'ER_SERVER_OFFLINE_MODE':
    case 'ER_SERVER_SHUTDOWN':
    case 'ER_CON_COUNT_ERROR':
    case 'ER_ACCESS_DENIED_ERROR':
    case 'ER_CLIENT_INTERACTION_TIMEOUT':
    case 'PROTOCOL_CONNECTION_LOST':
    case 'PROTOCOL_SEQUENCE_TIMEOUT':
    case 'POOL_CLOSED':
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
    case 'EPIPE':
      return new Problem('database-unavailable', undefined, {}, { cause: error });
    default:
      if (code.startsWith('SQLITE_BUSY')) {
        return new Problem('database-busy', undefined, {}, { cause: error });
      }
      if (/^SQLITE_(READONLY|IOERR|CANTOPEN|PROTOCOL)/.test(code)) {
        return new Problem('database-unavailable', undefined, {}, { cause: error });
      }
      // Checked first, because a lost connection can have any code.
      if (isConnectionLost(error)) {
        return new Problem('database-unavailable', undefined, {}, { cause: error });
      }
      return error;
  }
}
