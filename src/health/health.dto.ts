/** The process responds. */
export class Liveness {
  /**
   * Always `ok`; otherwise the response is a problem.
   *
   * @example 'ok'
   */
  status: string;

  /**
   * The version of the program.
   * @example '1.0.0'
   */
  version: string;
}

/** The process can serve requests. */
export class Readiness {
  /**
   * Always `ok`; otherwise the response is a problem.
   *
   * @example 'ok'
   */
  status: string;

  /**
   * The checks and their results.
   *
   * @example { "database": { "status": "up" }, "process": { "status": "up" } }
   */
  details: Record<string, { status: string }>;
}
