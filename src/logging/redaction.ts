import { types } from 'node:util';

/** Keys and session tokens, also where a URL has their underscore encoded. */
const SECRETS = /lk[ms](?:_|%5[Ff])[0-9A-Za-z]{20,}/g;
/** What stands between the user and the host in the URL of a database. */
const DATABASE_PASSWORD = /(?<=mysql:\/\/[^\s/@:]*:)[^\s/]+(?=@)/g;
const CENSORED = '[redacted]';
const DEPTH_MAX = 6;

/** Names, in small letters and without `-` and `_`, whose values are nobody's business. */
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

/** Takes everything that looks like a key or a token, and passwords in the URLs of databases, out of a text. */
export function redact(text: string): string {
  const safe = text.replaceAll(SECRETS, CENSORED);
  return safe.includes('mysql://') ? safe.replaceAll(DATABASE_PASSWORD, CENSORED) : safe;
}

/** The same object for a log: without what stands under a sensitive name at any depth, and with errors told safely. */
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
 * What a log may tell about an error. Drivers hang the whole statement with its values on theirs, and Node the URL that
 * it could not read: only what is named here is taken over.
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
