import { ConfigurationError } from '../config/config.js';
import { driverCode } from '../database/driver-errors.js';
import { redact } from '../logging/redaction.js';

/** What is wrong when the process cannot listen, and what the operator can do, by the error code. */
const LISTENING: Record<string, string> = {
  EADDRINUSE: 'Another process listens there already: end it, or set PORT.',
  EADDRNOTAVAIL: 'This machine has no such address: set HOST.',
  EACCES: 'This user may not listen there: set PORT to 1024 or more.',
  EPERM: 'This user may not listen there: set PORT to 1024 or more.',
  ENOTFOUND: 'The name of the address is not known: set HOST.',
  EAI_AGAIN: 'The name of the address could not be looked up: set HOST.',
};

/** The same for all earlier failures, which concern the database. */
const REASONS: Record<string, string> = {
  ER_ACCESS_DENIED_ERROR: 'The database refuses this user or password: see DATABASE_URL.',
  ER_DBACCESS_DENIED_ERROR: 'The user may not use this database: see DATABASE_URL.',
  ER_BAD_DB_ERROR: 'The server has no such database: make it first, or see DATABASE_URL.',
  ER_TABLEACCESS_DENIED_ERROR: 'The user lacks rights in the database: it makes and changes tables when it starts.',
  ER_CON_COUNT_ERROR: 'The database has no connection left: raise max_connections, or lower DATABASE_POOL_SIZE.',
  ECONNREFUSED: 'The database cannot be reached: is it running? See DATABASE_URL.',
  ECONNRESET: 'The database cannot be reached: it closed the connection. See DATABASE_URL.',
  ETIMEDOUT: 'The database cannot be reached: it did not answer in time. See DATABASE_URL.',
  EHOSTUNREACH: 'The database cannot be reached: there is no way to it. See DATABASE_URL.',
  ENETUNREACH: 'The database cannot be reached: there is no way to it. See DATABASE_URL.',
  ENOTFOUND: 'The database cannot be reached: its host is not known. See DATABASE_URL.',
  EAI_AGAIN: 'The database cannot be reached: its host could not be looked up. See DATABASE_URL.',
  PROTOCOL_SEQUENCE_TIMEOUT: 'The database cannot be reached: it did not answer in time. See DATABASE_URL.',
  PROTOCOL_CONNECTION_LOST: 'The database cannot be reached: it closed the connection. See DATABASE_URL.',
  HANDSHAKE_SSL_ERROR: 'The database cannot be reached over TLS: see DATABASE_URL.',
  HANDSHAKE_NO_SSL_SUPPORT: 'The database offers no TLS: see DATABASE_URL.',
  SQLITE_CANTOPEN: 'DATABASE_URL names what cannot be opened as a file: a folder, or a file in one without the rights.',
  SQLITE_NOTADB: 'The file that DATABASE_URL names is not a SQLite database.',
  SQLITE_CORRUPT: 'The database file is damaged: restore a backup.',
  SQLITE_READONLY: 'The database file cannot be written: see the rights of the file and its folder.',
  SQLITE_FULL: 'The disk of the database is full.',
  EACCES: 'This user may not write the database file: see DATABASE_URL and the rights of its folder.',
  EPERM: 'This user may not write the database file: see DATABASE_URL and the rights of its folder.',
  EROFS: 'The disk of the database is read-only: see DATABASE_URL.',
  ENOSPC: 'The disk of the database is full.',
  ENOTDIR: 'DATABASE_URL names a file in something that is no folder.',
  EEXIST: 'DATABASE_URL names a file in something that is no folder.',
};

/** The process cannot listen on the configured address. */
export class ListenFailure extends Error {
  constructor(readonly driverError: unknown) {
    super(driverError instanceof Error ? driverError.message : String(driverError));
  }
}

/**
 * Returns a line that tells the operator why the process did not start, or several lines for faults of the environment.
 */
export function describeStartFailure(error: unknown): string {
  if (error instanceof ConfigurationError) {
    return error.message;
  }
  const message = redact(error instanceof Error ? error.message : String(error));
  const reason = reasonOf(error);
  return reason === undefined
    ? `Latchkey does not start: ${message}`
    : `Latchkey does not start. ${reason} (${message})`;
}

function reasonOf(error: unknown): string | undefined {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  const code = driverCode(first);
  if (error instanceof ListenFailure) {
    return LISTENING[code];
  }
  return REASONS[code] ?? REASONS[code.split('_').slice(0, 2).join('_')];
}
