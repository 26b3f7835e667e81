import { types } from 'node:util';

/** Matches keys and session tokens, even if a URL encodes their underscore. */
const SECRETS = /lk[ms](?:_|%5[Ff])[0-9A-Za-z]{20,}/g;
/** Matches the password in the URL of a database. */
const DATABASE_PASSWORD = /(?<=mysql:\/\/[^\s/@:]*:)[^\s/]+(?=@)/g;
const CENSORED = '[redacted]';
const DEPTH_MAX = 6;

/** The names of sensitive values, in lower case and without `-` and `_`. */
const SENSITIVE = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'password',
  'newpassword',
  'currentpassword',
  'passwordhash',
  'adminpassword',
  'token',
  'tokenhash',
  'key',
  'keyhash',
  'secret',
  'databaseurl',
]);
const sensitive = new Map<string, boolean>();

/** Redacts keys, tokens, and passwords in the URLs of databases from a text. */
export function redact(text: string): string {
  const safe = text.replaceAll(SECRETS, CENSORED);
  return safe.includes('mysql://') ? safe.replaceAll(DATABASE_PASSWORD, CENSORED) : safe;
}

/**
 * Returns a copy of an object for the log. Sensitive names are censored at every depth, and errors are described
 * safely.
 */
export function withoutSecrets(object: object, depth = DEPTH_MAX): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const name of Object.keys(object)) {
    safe[name] = isSensitive(name) ? CENSORED : safeValue(object[name as keyof typeof object], depth);
  }
  return safe;
}

function safeValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (value instanceof Error || types.isNativeError(value)) {
    return describeError(value, depth);
  }
  if (depth === 0 || value instanceof Date || ArrayBuffer.isView(value)) {
    return String(value);
  }
  if (Array.isArray(value)) {
    return value.map((item) => safeValue(item, depth - 1));
  }
  return withoutSecrets(value, depth - 1);
}

/**
 * Returns the parts of an error that a log may contain. Errors of drivers contain the whole query with its values, and
 * errors of Node contain the URL that it could not read. So only the fields named here are copied.
 */
function describeError(error: Error, depth: number): Record<string, unknown> {
  const { code, errno, sqlState, syscall, cause, errors } = error as unknown as Record<string, unknown>;
  return {
    type: error.name === 'Error' ? error.constructor.name : error.name,
    message: error.message,
    ...(code !== undefined && { code }),
    ...(errno !== undefined && { errno }),
    ...(sqlState !== undefined && { sqlState }),
    ...(syscall !== undefined && { syscall }),
    stack: error.stack,
    ...(depth > 0 && cause !== undefined && { cause: safeValue(cause, depth - 1) }),
    ...(depth > 0 && Array.isArray(errors) && { errors: errors.map((inner) => safeValue(inner, depth - 1)) }),
  };
}

function isSensitive(name: string): boolean {
  let known = sensitive.get(name);
  if (known === undefined) {
    known = SENSITIVE.has(name.toLowerCase().replaceAll(/[-_]/g, ''));
    if (sensitive.size < 1000) {
      sensitive.set(name, known);
    }
  }
  return known;
}
