/** The process answers. */
export class Liveness {
  /**
   * `ok`: anything else is a problem.
   * @example 'ok'
   */
  status: string;

  /**
   * The version of the program.
   * @example '1.0.0'
   */
  version: string;
}

/** The process does its job. */
export class Readiness {
  /**
   * `ok`: anything else is a problem.
   * @example 'ok'
   */
  status: string;

  /**
   * What was looked at, and how it is.
   * @example { "database": { "status": "up" }, "process": { "status": "up" } }
   */
  details: Record<string, { status: string }>;
}
