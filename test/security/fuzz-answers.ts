import addFormats from 'ajv-formats';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { ADMIN_PASSWORD } from '../support/harness.js';
import type { Document, FuzzRequest, Operation } from './openapi-requests.js';

/** A response as it arrived. */
export interface FuzzAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** The refusals that any request can get before its operation is known. */
const BEFORE_ROUTING = ['not-found', 'method-not-allowed', 'path-malformed', 'request-malformed', 'headers-too-large'];
/** Node accepts heads of up to 16 KB. */
const HEAD_BYTES_CERTAIN = 14_000;
/** Matches internals that must not leak: hashes of passwords, stacks, texts of drivers. */
const INNER = /\$argon2|node_modules|\.[jt]s:\d+:\d+|SQLITE_[A-Z]+|\bER_[A-Z_]{4,}|QueryFailedError/;
/** Matches keys, tokens, and their hashes. */
const CANDIDATES = /lk[ms]_[0-9A-Za-z]{49}|(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g;
const MINTED = /lk[ms]_[0-9A-Za-z]{49}/;

/** Checks responses against the OpenAPI document, and for secrets and internals that no response may contain. */
export class DocumentedAnswers {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: false });
  private readonly validators = new Map<string, ValidateFunction>();

  constructor(document: Document) {
    addFormats.default(this.ajv);
    this.ajv.addSchema(closed(document) as object, 'document');
  }

  /** Returns what is wrong with a response. Returns undefined if nothing is wrong. */
  faultOf(
    template: string,
    method: string,
    operation: Operation,
    request: FuzzRequest,
    answer: FuzzAnswer,
    secrets: ReadonlySet<string>,
  ): string | undefined {
    return (
      this.shows(operation, answer, secrets) ??
      (answer.status >= 500 ? this.failure(answer) : undefined) ??
      this.undocumented(template, method, operation, request, answer)
    );
  }

  private shows(operation: Operation, answer: FuzzAnswer, secrets: ReadonlySet<string>): string | undefined {
    if (answer.headers['x-injected'] !== undefined || answer.headers['x-powered-by'] !== undefined) {
      return 'it has a header that it must not have';
    }
    const mints = answer.status === 201 && ['createApiKey', 'createSession'].includes(operation.operationId);
    const text = JSON.stringify(answer.headers) + answer.body;
    if ((text.match(CANDIDATES) ?? []).some((found) => secrets.has(found)) || text.includes(ADMIN_PASSWORD)) {
      return 'it shows a secret, or what is stored of it';
    }
    if (INNER.test(text)) {
      return `it shows what is inside: ${INNER.exec(text)![0]}`;
    }
    return !mints && MINTED.test(text.replaceAll('EXAMPL', '')) ? 'it shows a key or a token' : undefined;
  }

  /** Returns a failure. No request of a fuzz may fail, unless the service is too busy. */
  private failure({ status, body }: FuzzAnswer): string | undefined {
    return status === 503 && body.includes('"too-busy"') ? undefined : `it is ${status}`;
  }

  private undocumented(
    template: string,
    method: string,
    operation: Operation,
    request: FuzzRequest,
    { status, headers, body }: FuzzAnswer,
  ): string | undefined {
    const type = String(headers['content-type'] ?? '').split(';')[0]!;
    const head = request.path.length + request.headers.join('').length;
    if (request.mangled || head > HEAD_BYTES_CERTAIN) {
      const problem = type === 'application/problem+json' && body !== '' && (JSON.parse(body) as { code: string });
      if (problem && BEFORE_ROUTING.includes(problem.code)) {
        return this.mismatch({ $ref: 'document#/components/schemas/Problem' }, body);
      }
      // A mangled path may belong to another operation: `/v1/users/activate` does not match `/v1/users/{userId}`. It is
      // not checked here.
      if (request.mangled && operation.responses[status] === undefined && status < 500) {
        return undefined;
      }
    }
    const response = operation.responses[status];
    if (!response) {
      return `${status} is not documented`;
    }
    if (request.method === 'HEAD') {
      return body === '' ? undefined : 'an answer to HEAD has a body';
    }
    if (!response.content || Object.keys(response.content).length === 0) {
      return body === '' ? undefined : 'it has a body and none is documented';
    }
    if (!Object.hasOwn(response.content, type)) {
      return `"${type}" is not documented for ${status}`;
    }
    if (!type.endsWith('json')) {
      return undefined;
    }
    if (type === 'application/problem+json') {
      const problem = JSON.parse(body) as { code: string; status: number };
      if (problem.status !== status) {
        return `the problem says ${problem.status}`;
      }
      if (!request.mangled && !operation['x-problems']?.includes(problem.code)) {
        return `the problem ${problem.code} is not documented`;
      }
    }
    const place = [template, method.toLowerCase(), 'responses', status, 'content', type, 'schema'].map((part) =>
      encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1')),
    );
    return this.mismatch({ $ref: `document#/paths/${place.join('/')}` }, body);
  }

  private mismatch(schema: { $ref: string }, body: string): string | undefined {
    let validate = this.validators.get(schema.$ref);
    if (!validate) {
      validate = this.ajv.compile(schema);
      this.validators.set(schema.$ref, validate);
    }
    if (validate(JSON.parse(body))) {
      return undefined;
    }
    const [error] = validate.errors!;
    return `its body at "${error!.instancePath}" ${error!.message}: ${JSON.stringify(error!.params)}`;
  }
}

/** Returns a schema that allows only the fields that it names. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(closed);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const inner = Object.fromEntries(Object.entries(value).map(([name, child]) => [name, closed(child)]));
  const isSchema = inner.type === 'object' && typeof inner.properties === 'object';
  return isSchema && inner.additionalProperties === undefined ? { ...inner, additionalProperties: false } : inner;
}
