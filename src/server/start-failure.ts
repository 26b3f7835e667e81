import { ConfigurationError } from '../config/config.js';
import { driverCode } from '../database/driver-errors.js';
import { redact } from '../logging/redaction.js';

/** What is wrong when the process cannot listen, and what the operator can do, by the error code. */
const LISTENING: Record<string, string> = {
  EADDRINUSE: 'Another process uses this port: end it, or set PORT.',
  EADDRNOTAVAIL: 'HOST is not an address of this machine: set HOST to one, such as 127.0.0.1.',
  EACCES: 'This user may not listen on this port: set PORT to 1024 or more.',
  EPERM: 'This user may not listen on this port: set PORT to 1024 or more.',
  ENOTFOUND: 'The host name in HOST is unknown: set HOST.',
  EAI_AGAIN: 'The host name in HOST could not be looked up: set HOST.',
};

/** The same for all earlier failures, which concern the database. */
const REASONS: Record<string, string> = {
  ER_ACCESS_DENIED_ERROR: 'The database refuses this user or password: see DATABASE_URL.',
  ER_DBACCESS_DENIED_ERROR: 'This user has no rights on the database: see DATABASE_URL.',
  ER_BAD_DB_ERROR: 'The server has no such database: create it first, or see DATABASE_URL.',
  ER_TABLEACCESS_DENIED_ERROR:
    'This user may not create tables, which Latchkey does when it starts: grant the rights that docs/operating.md lists.',
  ER_CON_COUNT_ERROR: 'The database has no connection left: raise max_connections, or lower DATABASE_POOL_SIZE.',
  ECONNREFUSED: 'The database cannot be reached: is it running? See DATABASE_URL.',
  ECONNRESET: 'The database cannot be reached: it closed the connection. See DATABASE_URL.',
  ETIMEDOUT: 'The database cannot be reached: it did not answer in time. See DATABASE_URL.',
  EHOSTUNREACH: 'The database cannot be reached: no network route leads to it. See DATABASE_URL.',
  ENETUNREACH: 'The database cannot be reached: no network route leads to it. See DATABASE_URL.',
  ENOTFOUND: 'The database cannot be reached: its host is unknown. See DATABASE_URL.',
  EAI_AGAIN: 'The database cannot be reached: its host could not be looked up. See DATABASE_URL.',
  PROTOCOL_SEQUENCE_TIMEOUT: 'The database cannot be reached: it did not answer in time. See DATABASE_URL.',
  PROTOCOL_CONNECTION_LOST: 'The database cannot be reached: it closed the connection. See DATABASE_URL.',
  HANDSHAKE_SSL_ERROR: 'The database cannot be reached over TLS: see DATABASE_URL.',
  HANDSHAKE_NO_SSL_SUPPORT: 'The database offers no TLS: see DATABASE_URL.',
  SQLITE_CANTOPEN:
    'DATABASE_URL does not name a file that can be opened: it is a folder, or its folder cannot be read.',
  SQLITE_NOTADB: 'The file that DATABASE_URL names is not a SQLite database.',
  SQLITE_CORRUPT: 'The database file is damaged: restore a backup.',
  SQLITE_READONLY: 'The database file cannot be written: check the permissions of the file and its folder.',
  SQLITE_FULL: 'The disk of the database is full.',
  EACCES: 'This user may not write the database file: check DATABASE_URL and the permissions of its folder.',
  EPERM: 'This user may not write the database file: check DATABASE_URL and the permissions of its folder.',
  EROFS: 'The disk of the database is read-only: see DATABASE_URL.',
  ENOSPC: 'The disk of the database is full.',
  ENOTDIR: 'A part of the path in DATABASE_URL is a file, not a folder.',
  EEXIST: 'A part of the path in DATABASE_URL is a file, not a folder.',
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
