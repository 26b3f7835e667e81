import type { ProblemCode } from './problem-codes.js';
import type { ProblemExtensions } from './problem.js';

/** The content of an example of a problem. */
interface ProblemExample extends ProblemExtensions {
  detail: string;
}

/** Realistic details and extensions of problems, for the document. A code without an entry shows its title alone. */
export type ProblemExamples = Readonly<Partial<Record<ProblemCode, ProblemExample>>>;

/** Stands in an example for the operation that it is shown at. */
export const OPERATION = '{operation}';

/** The examples of problems that any endpoint may respond with. Features declare those of their own problems. */
export const COMMON_PROBLEM_EXAMPLES: ProblemExamples = {
  'credential-missing': { detail: 'Present a credential in the Authorization header.' },
  malformed: { detail: 'The Authorization header must be "ManagementKey-v1 <key>" or "Bearer <token>".' },
  'endpoint-not-allowed': { detail: `The key was not granted ${OPERATION}.`, endpoint: OPERATION },
  'owner-not-admin': {
    detail: `${OPERATION} needs an admin, and user 280, who created the key, is not an admin any more.`,
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
  'validation-failed': {
    detail: '/expiryDate: expiryDate is required',
    errors: [{ pointer: '/expiryDate', detail: 'expiryDate is required' }],
  },
  'id-malformed': {
    detail: 'applicationId must be the id of an Application, a whole number: GET /v1/applications lists the ids.',
  },
  'json-malformed': {
    detail: 'The body is not valid JSON. See line 3, column 28: remove the comma before "}".',
  },
  'body-missing': { detail: 'The request needs a JSON object as its body.' },
  'body-too-large': { detail: 'The body may have up to 102400 bytes.' },
  'media-type-unsupported': { detail: 'Send the body as application/json.' },
  'path-ambiguous': { detail: 'The path could be read in more than one way: an empty segment.' },
  'endpoint-unknown': { detail: 'The service "billing" has no endpoint with this method and path.' },
  'too-busy': { detail: 'Too much is being asked at once.', retryAfterSeconds: 1 },
};
