import { ApiExtension } from '@nestjs/swagger';
import type { ProblemCode } from './problem-codes.js';

/** The extension of the OpenAPI document that lists every code of an operation. */
export const PROBLEMS_EXTENSION = 'x-problems';

/** Marks an operation of the document that cannot respond with problems of the database. */
export const NO_DATABASE_PROBLEMS = 'x-no-database-problems';

/**
 * Lists the problems that a route throws itself, such as `@Problems('campaign-not-found')`, for the OpenAPI document.
 * Problems of all routes (faults of the input, refusals, server failures) are added automatically.
 */
export const Problems = (...codes: [ProblemCode, ...ProblemCode[]]): MethodDecorator =>
  ApiExtension(PROBLEMS_EXTENSION, codes);

/** Documents that a route reports a failing database in its own words, and never with a problem. */
export const ReportsDatabaseItself = (): MethodDecorator => ApiExtension(NO_DATABASE_PROBLEMS, true);
