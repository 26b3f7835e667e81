/** The log level of a problem. */
export type ProblemLevel = 'debug' | 'info' | 'warn' | 'error';

/** The definition of a code. `level` is the level of its log line. */
interface ProblemDefinition {
  status: number;
  title: string;
  level: ProblemLevel;
}

const define = <Code extends string>(table: Record<Code, ProblemDefinition>): Record<Code, ProblemDefinition> => table;

/** The closed table of all problems: code -> status, title, log level. Codes are stable, titles are not. */
export const PROBLEMS = define({
  // 401: authentication
  'credential-missing': { status: 401, title: 'No credential was presented', level: 'info' },
  malformed: { status: 401, title: 'The credential is malformed', level: 'info' },
  unknown: { status: 401, title: 'The credential is not known', level: 'info' },
  'creator-deleted': { status: 401, title: 'The creator of the key was deleted', level: 'info' },
  'creator-deactivated': { status: 401, title: 'The creator of the key is deactivated', level: 'info' },
  expired: { status: 401, title: 'The credential has expired', level: 'info' },
  'no-application-left': { status: 401, title: 'No Application of the key is left', level: 'info' },
  'sign-in-failed': { status: 401, title: 'The e-mail address or the password is wrong', level: 'info' },

  // 403: authorization
  'path-ambiguous': { status: 403, title: 'The path could be read in more than one way', level: 'info' },
  'endpoint-unknown': { status: 403, title: 'The endpoint is not in the catalogue', level: 'info' },
  'endpoint-not-allowed': { status: 403, title: 'The key does not open this endpoint', level: 'info' },
  'owner-not-admin': { status: 403, title: 'The creator of the key is not an admin', level: 'info' },
  'application-malformed': { status: 403, title: 'The Application id in the path is not an id', level: 'info' },
  'application-not-allowed': { status: 403, title: 'The key does not open this Application', level: 'info' },
  'admin-required': { status: 403, title: 'Only an admin may do this', level: 'info' },
  'user-protected': { status: 403, title: 'A key may not act on this user', level: 'info' },
  'current-password-wrong': { status: 403, title: 'The current password is wrong', level: 'info' },

  // 400: the request itself
  'validation-failed': { status: 400, title: 'The request is not valid', level: 'info' },
  'request-malformed': { status: 400, title: 'The request is not well-formed HTTP', level: 'info' },
  'id-malformed': { status: 400, title: 'An id in the path is not an id', level: 'info' },
  'path-malformed': { status: 400, title: 'The path is not correctly percent-encoded', level: 'info' },
  'json-malformed': { status: 400, title: 'The body is not well-formed JSON', level: 'info' },
  'body-missing': { status: 400, title: 'The request needs a body', level: 'info' },
  'body-incomplete': { status: 400, title: 'The body ended before it was complete', level: 'info' },
  'upload-malformed': { status: 400, title: 'The upload is not a well-formed multipart form', level: 'info' },
  'upload-missing': { status: 400, title: 'The form has no part named upFile', level: 'info' },
  'import-invalid': { status: 400, title: 'The file cannot be imported', level: 'info' },
  'pattern-too-narrow': { status: 400, title: 'The pattern has too little room for that many codes', level: 'info' },
  'openapi-invalid': { status: 400, title: 'The OpenAPI document cannot be used', level: 'info' },

  // 404, 405, 408, 413, 415, 429
  'not-found': { status: 404, title: 'There is nothing at this address', level: 'info' },
  'user-not-found': { status: 404, title: 'There is no such user', level: 'info' },
  'application-not-found': { status: 404, title: 'There is no such Application', level: 'info' },
  'api-key-not-found': { status: 404, title: 'There is no such key', level: 'info' },
  'campaign-not-found': { status: 404, title: 'There is no such campaign in this Application', level: 'info' },
  'coupon-not-found': { status: 404, title: 'There is no such coupon in this campaign', level: 'info' },
  'service-not-found': { status: 404, title: 'There is no such service', level: 'info' },
  'method-not-allowed': { status: 405, title: 'The path does not have this method', level: 'info' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive', level: 'info' },
  'body-too-large': { status: 413, title: 'The body is too large', level: 'info' },
  'media-type-unsupported': { status: 415, title: 'The body has a type that is not read here', level: 'info' },
  'headers-too-large': { status: 431, title: 'The headers are too large', level: 'info' },
  'too-many-attempts': { status: 429, title: 'Too many attempts', level: 'warn' },

  // 409: conflicts with the current state
  'email-taken': { status: 409, title: 'Another user has this e-mail address', level: 'info' },
  'last-admin': { status: 409, title: 'The last active admin must stay one', level: 'info' },
  'application-name-taken': { status: 409, title: 'Another Application has this name', level: 'info' },
  'application-in-use': { status: 409, title: 'The Application still has campaigns', level: 'info' },
  'coupon-exists': { status: 409, title: 'A coupon code exists already', level: 'info' },
  'changes-not-confirmed': { status: 409, title: 'These are not the changes that were confirmed', level: 'info' },
  'service-conflict': { status: 409, title: 'Two templates of the service are one endpoint', level: 'info' },

  // 5xx: failures of the server
  'internal-error': { status: 500, title: 'Something went wrong on our side', level: 'error' },
  'database-unavailable': { status: 503, title: 'The database cannot be reached', level: 'error' },
  'database-busy': { status: 503, title: 'The database is busy', level: 'warn' },
  'storage-full': { status: 503, title: 'The database cannot take any more data', level: 'error' },
  'decision-failed': { status: 503, title: 'No decision could be made', level: 'error' },
  'decision-timeout': { status: 503, title: 'No decision could be made in time', level: 'error' },
  'too-busy': { status: 503, title: 'Too much is being asked at once', level: 'warn' },
  'not-ready': { status: 503, title: 'The process should not be sent requests now', level: 'warn' },
  'shutting-down': { status: 503, title: 'The process is shutting down', level: 'info' },
});

/** The stable name of a problem, which callers see in `code`. */
export type ProblemCode = keyof typeof PROBLEMS;
