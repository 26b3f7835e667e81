import type {
  ExampleObject,
  OpenAPIObject,
  OperationObject,
  ParameterObject,
  ReferenceObject,
  ResponseObject,
  SchemaObject,
} from '@nestjs/swagger';
import { operationsOf } from './openapi-operations.js';
import { PROBLEMS, type ProblemCode } from '../problems/problem-codes.js';
import { OPERATION, type ProblemExamples } from '../problems/problem-examples.js';
import { problemBody } from '../problems/problem-response.js';
import { Problem } from '../problems/problem.js';
import { NO_DATABASE_PROBLEMS, PROBLEMS_EXTENSION } from '../problems/problems.decorator.js';

const BODY: ProblemCode[] = ['body-incomplete', 'request-timeout', 'body-too-large', 'media-type-unsupported'];
const JSON_BODY: ProblemCode[] = ['body-missing', 'json-malformed', ...BODY];
const DATABASE: ProblemCode[] = ['database-unavailable', 'database-busy'];

const PROBLEM_SCHEMA: SchemaObject = {
  type: 'object',
  description: 'Why a request was refused, or failed (RFC 9457).',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code'],
  properties: {
    type: {
      type: 'string',
      description: 'A stable URI for the code.',
      example: 'urn:latchkey:problem:application-not-allowed',
    },
    title: {
      type: 'string',
      description: 'What the code means, for people.',
      example: PROBLEMS['application-not-allowed'].title,
    },
    status: { type: 'integer', description: 'The status of the answer.', example: 403 },
    detail: {
      type: 'string',
      description: 'What is wrong with this very request.',
      example: 'The key does not open Application 2.',
    },
    instance: {
      type: 'string',
      description: 'The id of the request, as in the header X-Request-Id of the answer.',
      example: 'urn:latchkey:request:0f6f3a52-7d5c-4b0e-9c2f-3f4f0f1f9d11',
    },
    code: {
      type: 'string',
      description: 'The stable name of the problem: what a program should look at.',
      example: 'application-not-allowed',
    },
    errors: {
      type: 'array',
      description: 'Every fault of the input, up to 100.',
      items: {
        type: 'object',
        required: ['detail'],
        properties: {
          pointer: { type: 'string', description: 'JSON pointer into the body.', example: '/endpoints/0/path' },
          parameter: { type: 'string', description: 'Name of a parameter.', example: 'pageSize' },
          line: { type: 'integer', description: 'Line of an uploaded file; the first is 1.', example: 3 },
          detail: { type: 'string', description: 'What is wrong there.', example: 'must not be empty' },
        },
      },
    },
    endpoint: { type: 'string', description: 'The endpoint that was called.', example: 'GET /v1/users' },
    applicationId: {
      oneOf: [{ type: 'integer' }, { type: 'string' }],
      description: 'The Application that was called.',
      example: 2,
    },
    expiryDate: {
      type: 'string',
      format: 'date-time',
      description: 'Since when the credential is expired.',
      example: '2027-06-30T22:00:00.000Z',
    },
    retryAfterSeconds: { type: 'integer', description: 'When to try again, as in Retry-After.', example: 900 },
    allow: {
      type: 'array',
      description: 'The methods that the path has.',
      items: { type: 'string', example: 'GET' },
    },
  },
};

/** Adds the problems that any input can cause, and those that can always happen, to each operation. */
export function addCommonProblems(document: OpenAPIObject): void {
  operationsOf(document).forEach(({ operation, method }) => addProblems(operation, commonProblems(operation, method)));
}

/**
 * Describes the problems of each operation: `x-problems` lists all codes, and each status has one response with an
 * example per code.
 *
 * @param judged the endpoint that examples name, for paths that judge another endpoint than their own
 */
export function describeProblems(
  document: OpenAPIObject,
  { examples, judged }: { examples: ProblemExamples; judged: ReadonlyMap<string, string> },
): void {
  const used = new Set<ProblemCode>();
  for (const { operation, method, path } of operationsOf(document)) {
    const codes = inTableOrder(new Set(problemsOf(operation)));
    const name = judged.get(path) ?? `${method.toUpperCase()} ${path}`;
    codes.forEach((code) => used.add(code));
    Object.assign(operation, { [PROBLEMS_EXTENSION]: codes });
    const statuses = [...new Set(codes.map((code) => PROBLEMS[code].status))].sort((one, other) => one - other);
    for (const status of statuses) {
      operation.responses[status] = problemResponse(
        status,
        codes.filter((code) => PROBLEMS[code].status === status),
        (code) => exampleAt(examples, code, name),
      );
    }
  }
  document.components ??= {};
  document.components.schemas = { ...document.components.schemas, Problem: PROBLEM_SCHEMA };
  document.components.examples = {
    ...document.components.examples,
    ...Object.fromEntries(
      inTableOrder(used)
        .filter((code) => !namesOperation(examples, code))
        .map((code) => [code, problemExample(examples, code, '')]),
    ),
  };
}

/** Adds codes to those that an operation lists. */
export function addProblems(operation: OperationObject, codes: readonly ProblemCode[]): void {
  Object.assign(operation, { [PROBLEMS_EXTENSION]: [...problemsOf(operation), ...codes] });
}

function problemsOf(operation: OperationObject): readonly ProblemCode[] {
  return (operation as { [PROBLEMS_EXTENSION]?: ProblemCode[] })[PROBLEMS_EXTENSION] ?? [];
}

function commonProblems(operation: OperationObject, method: string): ProblemCode[] {
  const parameters = (operation.parameters ?? []).flatMap((parameter) => ('in' in parameter ? [parameter] : []));
  const body = operation.requestBody && 'content' in operation.requestBody ? operation.requestBody.content : {};
  return [
    'internal-error',
    // Every endpoint refuses query parameters that it does not name.
    'validation-failed',
    ...(takeExtension(operation, NO_DATABASE_PROBLEMS) ? [] : DATABASE),
    ...(method === 'get' ? [] : (['storage-full', 'shutting-down'] as const)),
    ...(parameters.some((parameter) => parameter.in === 'path') ? (['path-malformed'] as const) : []),
    ...(parameters.some(isId) ? (['id-malformed'] as const) : []),
    ...(body['application/json'] ? JSON_BODY : []),
    ...(body['multipart/form-data'] ? BODY : []),
  ];
}

/** Removes an extension that only this process uses from an operation. Returns whether it was there. */
function takeExtension(operation: OperationObject, name: string): boolean {
  return name in operation && Reflect.deleteProperty(operation, name);
}

function isId({ in: place, schema }: ParameterObject): boolean {
  return place === 'path' && schema !== undefined && 'type' in schema && schema.type === 'integer';
}

function inTableOrder(codes: ReadonlySet<ProblemCode>): ProblemCode[] {
  return (Object.keys(PROBLEMS) as ProblemCode[]).filter((code) => codes.has(code));
}

function problemResponse(
  status: number,
  codes: ProblemCode[],
  exampleOf: (code: ProblemCode) => ExampleObject | ReferenceObject,
): ResponseObject {
  const string = { schema: { type: 'string' } } as const;
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('  \n'),
    ...(status === 401 && {
      headers: { 'WWW-Authenticate': { description: 'The ways to authenticate (RFC 9110).', ...string } },
    }),
    ...((status === 429 || status === 503) && {
      headers: { 'Retry-After': { description: 'Seconds after which to try again.', schema: { type: 'integer' } } },
    }),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(codes.map((code) => [code, exampleOf(code)])),
      },
    },
  };
}

/** Returns an example. One that names the operation is inlined, all others are shared. */
function exampleAt(examples: ProblemExamples, code: ProblemCode, operation: string): ExampleObject | ReferenceObject {
  return namesOperation(examples, code)
    ? problemExample(examples, code, operation)
    : { $ref: `#/components/examples/${code}` };
}

function namesOperation(examples: ProblemExamples, code: ProblemCode): boolean {
  return JSON.stringify(examples[code] ?? {}).includes(OPERATION);
}

function problemExample(examples: ProblemExamples, code: ProblemCode, operation: string): ExampleObject {
  const { detail, ...extensions } = examples[code] ?? { detail: `${PROBLEMS[code].title}.` };
  const body = problemBody(new Problem(code, detail, extensions), '0f6f3a52-7d5c-4b0e-9c2f-3f4f0f1f9d11');
  return {
    summary: PROBLEMS[code].title,
    value: JSON.parse(JSON.stringify(body).replaceAll(OPERATION, operation)) as unknown,
  };
}
