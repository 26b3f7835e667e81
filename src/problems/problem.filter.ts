import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, NotFoundException } from '@nestjs/common';
import type { Request, Response } from 'express';
import { Problem } from './problem.js';
import { sendProblem } from './problem-response.js';

/** Converts every error to a problem, and responds with it. Nothing else in the process writes an error response. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  /**
   * @param explainMissing says why nothing is served at an address: no such path, or not with this method
   * @param explainFailure converts an error that is not a problem, if it is known, or returns it unchanged
   */
  constructor(
    private readonly explainMissing: (request: Request) => Problem,
    private readonly explainFailure: (error: unknown) => unknown,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const response = http.getResponse<Response>();
    const request = http.getRequest<Request>();
    const problem =
      error instanceof NotFoundException ? this.explainMissing(request) : problemOf(this.explainFailure(error));
    sendProblem(request, response, problem);
  }
}

/** Returns the problem of an error. An unexpected error is an `internal-error` without details. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) {
    return error;
  }
  if (error instanceof URIError) {
    return new Problem('path-malformed');
  }
  if (error instanceof HttpException) {
    switch (error.getStatus()) {
      case 400:
        return new Problem('path-malformed');
      case 413:
        return new Problem('body-too-large');
      default:
        return new Problem('internal-error', undefined, {}, { cause: error });
    }
  }
  return new Problem('internal-error', undefined, {}, { cause: error });
}
