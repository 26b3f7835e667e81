/** Keys and session tokens, also where a URL has their underscore encoded; and passwords in the URLs of databases. */
const SECRETS = /lk[ms](?:_|%5[Ff])[0-9A-Za-z]{20,}|(?<=mysql:\/\/[^\s/@]{0,200}:)[^\s/]+(?=@)/g;
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

/** Takes everything that looks like a key or a token out of a text. */
export function redact(text: string): string {
  return text.replaceAll(SECRETS, CENSORED);
}

/** The same object for a log: without what stands under a sensitive name at any depth, and with errors told safely. */
export function withoutSecrets(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, isSensitive(name) ? CENSORED : safe(value, DEPTH_MAX)]),
  );
}

function safe(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (value instanceof Error) {
    return describeError(value, depth);
  }
  if (depth === 0 || value instanceof Date || ArrayBuffer.isView(value)) {
    return String(value);
  }
  if (Array.isArray(value)) {
    return value.map((item) => safe(item, depth - 1));
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, isSensitive(name) ? CENSORED : safe(inner, depth - 1)]),
  );
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
    ...(depth > 0 && cause !== undefined && { cause: safe(cause, depth - 1) }),
    ...(depth > 0 && Array.isArray(errors) && { errors: errors.map((inner) => safe(inner, depth - 1)) }),
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
