import type { CallerInLog } from '../request/request-notes.js';
import { PROBLEMS, type ProblemCode, type ProblemLevel } from './problem-codes.js';

/** One fault of the input: where it is and what is wrong with it. */
export interface Fault {
  /** JSON pointer into the body, as in RFC 6901. */
  pointer?: string;
  /** Name of a query, path or header parameter. */
  parameter?: string;
  /** Physical line of an uploaded file, the first is 1. */
  line?: number;
  detail: string;
}

/** At most this many faults are listed in one answer. */
export const FAULTS_MAX = 100;

/** What a problem may tell beyond its code and detail. */
export interface ProblemExtensions {
  errors?: Fault[];
  /** The endpoint that was asked for or is missing, as `METHOD /path/{template}`. */
  endpoint?: string;
  applicationId?: number | string;
  /** Since when a key is expired, RFC 3339. */
  expiryDate?: string;
  /** Seconds; sent as `Retry-After` as well. */
  retryAfterSeconds?: number;
  /** Methods that the path has; sent as `Allow` as well. */
  allow?: string[];
}

/** A refusal or failure that the caller is told about. Everything a service throws on purpose is one of these. */
export class Problem extends Error {
  readonly status: number;
  /** Whom it is about, where that was found out although they were refused. For the log, never for the answer. */
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

  /** Returns the severity of its line in the log. */
  get level(): ProblemLevel {
    return PROBLEMS[this.code].level;
  }
}
