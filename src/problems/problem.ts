import type { CallerInLog } from '../request/request-context.js';
import { PROBLEMS, type ProblemCode, type ProblemLevel } from './problem-codes.js';

/** One fault of the input: its position and what is wrong. */
export interface Fault {
  /** JSON pointer into the body (RFC 6901). */
  pointer?: string;
  /** Name of a query, path or header parameter. */
  parameter?: string;
  /** Line of an uploaded file, from 1. */
  line?: number;
  detail: string;
}

/** The maximum number of faults in one response. */
export const FAULTS_MAX = 100;

/** The extensions of a problem besides its code and detail. */
export interface ProblemExtensions {
  errors?: Fault[];
  /** The endpoint of the request, or the one that is missing, as `METHOD /path/{template}`. */
  endpoint?: string;
  applicationId?: number | string;
  /** When the key expired, RFC 3339. */
  expiryDate?: string;
  /** Seconds. Also sent as `Retry-After`. */
  retryAfterSeconds?: number;
  /** The methods of the path. Also sent as `Allow`. */
  allow?: string[];
}

/** A refusal or failure that the caller is told about. All expected failures of services are problems. */
export class Problem extends Error {
  readonly status: number;
  /** The refused caller, if known. For the log, never for the response. */
  readonly about?: CallerInLog;

  constructor(
    readonly code: ProblemCode,
    readonly detail: string = PROBLEMS[code].title,
    readonly extensions: ProblemExtensions = {},
    options?: ErrorOptions & { about?: CallerInLog },
  ) {
    super(`${code}: ${detail}`, options);
    this.about = options?.about;
    this.status = PROBLEMS[code].status;
  }

  /** The log level of the problem. */
  get level(): ProblemLevel {
    return PROBLEMS[this.code].level;
  }
}
