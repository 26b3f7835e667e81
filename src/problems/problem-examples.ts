import type { ProblemCode } from './problem-codes.js';
import type { ProblemExtensions } from './problem.js';

/** What an example of a problem says. */
interface ProblemExample extends ProblemExtensions {
  detail: string;
}

/** Stands in an example for the operation that it is shown at. */
export const OPERATION = '{operation}';

/** Realistic details and extensions of problems, for the document. A code without an entry shows its title alone. */
export const PROBLEM_EXAMPLES: Partial<Record<ProblemCode, ProblemExample>> = {
  'credential-missing': { detail: 'Present a credential in the Authorization header.' },
  malformed: { detail: 'The Authorization header must be "ManagementKey-v1 <key>" or "Bearer <token>".' },
  unknown: { detail: 'There is no such key, or not any more.' },
  'creator-deleted': { detail: 'User 280, who made the key, was deleted.' },
  'creator-deactivated': { detail: 'User 280, who made the key, is deactivated.' },
  expired: { detail: 'The key expired at 2027-06-30T22:00:00.000Z.', expiryDate: '2027-06-30T22:00:00.000Z' },
  'no-application-left': { detail: 'All Applications that the key was limited to were deleted.' },
  'sign-in-failed': { detail: 'The e-mail address or the password is wrong.' },
  'endpoint-not-allowed': { detail: `The key was not granted ${OPERATION}.`, endpoint: OPERATION },
  'owner-not-admin': {
    detail: `${OPERATION} needs an admin, and user 280, who made the key, is not an admin any more.`,
    endpoint: OPERATION,
  },
  'application-malformed': {
    detail: 'The Application id in the path is not a whole number from 1 to 2147483647.',
    endpoint: OPERATION,
    applicationId: '01',
  },
  'application-not-allowed': {
    detail: 'The key does not open Application 2.',
    endpoint: OPERATION,
    applicationId: 2,
  },
  'admin-required': { detail: 'Only an admin may do this.', endpoint: OPERATION },
  'user-protected': { detail: 'A key acts only on users who are no admin and have no keys.' },
  'current-password-wrong': { detail: 'The current password is wrong.' },
  'validation-failed': {
    detail: '/name: name must be longer than or equal to 1 characters',
    errors: [{ pointer: '/name', detail: 'name must be longer than or equal to 1 characters' }],
  },
  'id-malformed': { detail: 'An id is a whole number from 1 to 2147483647 without leading zeros.' },
  'json-malformed': { detail: 'The body must be one JSON object.' },
  'body-missing': { detail: 'The request needs a JSON object as its body.' },
  'import-invalid': {
    detail: 'Line 3: expirydate must be an RFC 3339 date-time.',
    errors: [{ line: 3, detail: 'expirydate must be an RFC 3339 date-time' }],
  },
  'body-too-large': { detail: 'The body may have up to 102400 bytes.' },
  'media-type-unsupported': { detail: 'Send the body as application/json.' },
  'too-many-attempts': { detail: 'Too many failed sign-ins: try again in 900 seconds.', retryAfterSeconds: 900 },
  'path-ambiguous': { detail: 'The path could be read in more than one way: an empty segment.' },
  'endpoint-unknown': { detail: 'The service "billing" has no endpoint with this method and path.' },
  'user-not-found': { detail: 'There is no user 280.' },
  'application-not-found': { detail: 'There is no Application 2.' },
  'api-key-not-found': { detail: 'There is no key 34.' },
  'campaign-not-found': { detail: 'There is no campaign 8 in Application 1.' },
  'service-not-found': { detail: 'There is no service "billing".' },
  'changes-not-confirmed': {
    detail:
      'confirmChanges is not the digest of what changes for keys: ask again with dryRun=true, read changedGrants, and send its digest.',
  },
  'application-in-use': { detail: 'Application 1 still has campaigns: delete them first.' },
  'application-name-taken': { detail: 'Another Application is called "Web shop", if case is ignored.' },
  'last-admin': { detail: 'User 1 is the last active admin: make another one first.' },
  'openapi-invalid': {
    detail: '/openapi must be a version 3.0.x or 3.1.x: other ones are not read here.',
    errors: [{ pointer: '/openapi', detail: 'must be a version 3.0.x or 3.1.x: other ones are not read here' }],
  },
  'not-ready': { detail: 'database: It cannot be reached (decision-timeout).' },
  'too-busy': { detail: 'Too much is being asked at once.', retryAfterSeconds: 1 },
  'coupon-exists': {
    detail: 'Line 17: the code "SUMMER-7F3K" exists in this Application already.',
    errors: [{ line: 17, detail: 'the code "SUMMER-7F3K" exists in this Application already' }],
  },
};
