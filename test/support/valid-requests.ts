import type { WholeRequest } from './held-request.js';
import type { Document, Operation, Schema } from '../security/openapi-requests.js';

/** An operation of the document that has a body. */
export interface WritingEndpoint {
  method: string;
  path: string;
  operation: Operation & { 'x-access': { kind: string; session?: string; scope?: string } };
}

/** The values for requests. */
export interface Subjects {
  /** Returns the value of a path parameter. */
  parameter(name: string): unknown;
  /**
   * Returns the value of a property whose example is not usable. The name is the property's name, its format, or
   * `operationId.name`.
   */
  property(name: string): unknown;
}

/** Returns every operation that has a body. */
export function writingEndpoints(document: Document): WritingEndpoint[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => operation.requestBody)
      .map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

const BOUNDARY = 'valid-boundary';

/**
 * Creates the valid request of an operation. It contains all required properties, or all properties if none is
 * required.
 */
export function validRequest(
  document: Document,
  { method, path, operation }: WritingEndpoint,
  subjects: Subjects,
): WholeRequest {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = subjects.parameter(name);
    if (value === undefined) {
      throw new Error(`${operation.operationId}: the test's world has nothing for {${name}}`);
    }
    return encodeURIComponent(String(value));
  });
  const [type = '', content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (type === 'multipart/form-data') {
    return {
      method,
      path: filled,
      headers: [['Content-Type', `${type}; boundary=${BOUNDARY}`]],
      body: formWithFile('upFile', String(subjects.property('upFile'))),
    };
  }
  const value = valueOf(document, content?.schema ?? {}, operation.operationId, subjects);
  return { method, path: filled, headers: [['Content-Type', type]], body: Buffer.from(JSON.stringify(value)) };
}

function formWithFile(name: string, text: string): Buffer {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"; filename="a.csv"\r\n\r\n`;
  return Buffer.from(`${head}${text}\r\n--${BOUNDARY}--\r\n`);
}

function valueOf(document: Document, given: Schema, name: string, subjects: Subjects): unknown {
  const schema = given.$ref ? document.components.schemas[given.$ref.replace('#/components/schemas/', '')]! : given;
  if (schema.properties) {
    const names = schema.required ?? Object.keys(schema.properties);
    return Object.fromEntries(
      names.map((property) => {
        const inner = schema.properties![property]!;
        const known = [`${name}.${property}`, inner.format ?? '', property].map((one) => subjects.property(one));
        return [property, known.find((one) => one !== undefined) ?? valueOf(document, inner, property, subjects)];
      }),
    );
  }
  if (schema.example !== undefined) {
    return schema.example;
  }
  if (schema.enum) {
    return schema.enum[0];
  }
  if (schema.items) {
    return [valueOf(document, schema.items, name, subjects)];
  }
  throw new Error(
    `${name} has neither an example nor properties: give it an example, or a subject in the test's world`,
  );
}
