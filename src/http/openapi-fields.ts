import type { OpenAPIObject, ReferenceObject, SchemaObject } from '@nestjs/swagger';
import { operationsOf } from './openapi-operations.js';

/** `id`, `userId`, `accountID`, `createdBy`, and lists of them: `allowedApplicationIds`. */
const ID = /^(id|.*I[dD]s?|.*By)$/;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const REFERENCE = '#/components/schemas/';

/**
 * Says of the fields what their TypeScript types cannot: that ids are whole numbers, and that a time which is answered is
 * an RFC 3339 date-time. What a request may say of a time is for its own DTO to tell.
 */
export function describeFields(document: OpenAPIObject): void {
  const requested = requestedSchemas(document);
  for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) {
    if ('$ref' in schema) {
      continue;
    }
    for (const [field, fieldSchema] of Object.entries(schema.properties ?? {})) {
      if (!('$ref' in fieldSchema)) {
        describeField(field, fieldSchema, requested.has(name));
      }
    }
  }
}

function describeField(name: string, schema: SchemaObject, requested: boolean): void {
  if (ID.test(name)) {
    makeInteger(schema);
    if (schema.items && !('$ref' in schema.items)) {
      makeInteger(schema.items);
    }
  }
  if (!requested && typesOf(schema).includes('string') && RFC_3339.test(String(schema.example))) {
    schema.format ??= 'date-time';
  }
}

function makeInteger(schema: SchemaObject): void {
  const types: unknown = typesOf(schema).map((type) => (type === 'number' ? 'integer' : type));
  if (schema.type !== undefined) {
    // OpenAPI 3.1 has lists of types, which the type of the library does not know.
    Object.assign(schema, { type: Array.isArray(schema.type) ? types : (types as string[])[0] });
  }
}

function typesOf(schema: SchemaObject): string[] {
  return schema.type === undefined ? [] : [schema.type].flat();
}

/** The names of all schemas that a request body can be made of. */
function requestedSchemas(document: OpenAPIObject): ReadonlySet<string> {
  const found = new Set<string>();
  const follow = (node: unknown): void => {
    for (const reference of referencesIn(node)) {
      const name = reference.slice(REFERENCE.length);
      if (!found.has(name)) {
        found.add(name);
        follow(document.components?.schemas?.[name]);
      }
    }
  };
  operationsOf(document).forEach(({ operation }) => follow(operation.requestBody));
  return found;
}

function referencesIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) {
    return [];
  }
  const { $ref } = node as Partial<ReferenceObject>;
  return typeof $ref === 'string' ? [$ref] : Object.values(node).flatMap(referencesIn);
}
