import { ApiExtension } from '@nestjs/swagger';
import type { ProblemCode } from './problem-codes.js';

/** Under which name an operation of the document lists every code that it can answer with. */
export const PROBLEMS_EXTENSION = 'x-problems';

/**
 * Names the problems that a route throws itself, such as `@Problems('campaign-not-found')`, for the document. What any
 * route can answer (faults of the input, refusals by its access, failures of ours) is added without being named.
 */
export const Problems = (...codes: [ProblemCode, ...ProblemCode[]]): MethodDecorator =>
  ApiExtension(PROBLEMS_EXTENSION, codes);
