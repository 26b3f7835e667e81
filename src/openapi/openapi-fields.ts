import type { OpenAPIObject, ParameterObject, ReferenceObject, SchemaObject } from '@nestjs/swagger';
import { DECIMAL_EXTENSION } from '../input/fields/decimal.js';
import { operationsOf } from './openapi-operations.js';

/** Matches the names of lists of ids: `allowedApplicationIds`. */
const IDS = /I[dD]s$/;
/** Matches the names of filters by time. */
const TIME_FILTER = /(Before|After)$/;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** Formats that other programs know. The plugin invents some, such as `currency`. */
const FORMATS = /^(date-time|date|email|uri|uuid|binary|int32|int64|float|double)$/;
const REFERENCE = '#/components/schemas/';

/**
 * Describes what the compiler plugin cannot read from the types of fields: which numbers are integers, which texts are
 * times, which fields are optional because they have a default, and that a field without an example may be null. A
 * number is an integer unless its field is declared with `@Decimal()`.
 */
export function describeFields(document: OpenAPIObject): void {
  const requested = requestedSchemas(document);
  for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) {
    if (!('$ref' in schema)) {
      describeSchema(schema, requested.has(name));
    }
  }
  for (const { operation } of operationsOf(document)) {
    operation.parameters?.forEach((parameter) => {
      if ('in' in parameter) {
        describeParameter(parameter);
      }
    });
  }
}

function describeSchema(schema: SchemaObject, requested: boolean): void {
  const decimals = takeDecimals(schema);
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if ('$ref' in field) {
      continue;
    }
    if (!decimals.has(name)) {
      describeInteger(name, field);
    }
    if (!FORMATS.test(field.format ?? '')) {
      delete field.format;
    }
    if (requested && field.default !== undefined) {
      schema.required = schema.required?.filter((required) => required !== name);
    }
    // The DTO of a request describes its times itself.
    if (!requested && typesOf(field).includes('string') && RFC_3339.test(String(field.example))) {
      field.format ??= 'date-time';
    }
    // The plugin drops `@example null`.
    if (field.example === undefined && typesOf(field).includes('null')) {
      Object.assign(field, { examples: [null] });
    }
  }
}

function describeParameter(parameter: ParameterObject): void {
  const { schema } = parameter;
  if (parameter.in !== 'query' || !schema || '$ref' in schema) {
    return;
  }
  describeInteger(parameter.name, schema);
  if (TIME_FILTER.test(parameter.name)) {
    schema.format = 'date-time';
  }
  if (schema.default !== undefined) {
    parameter.required = false;
  }
}

/** Removes the names of the fields with `@Decimal()` from a schema, and returns them. */
function takeDecimals(schema: SchemaObject): ReadonlySet<string> {
  const names = Object.keys(schema).filter((name) => name.startsWith(DECIMAL_EXTENSION));
  names.forEach((name) => Reflect.deleteProperty(schema, name));
  return new Set(names.map((name) => name.slice(DECIMAL_EXTENSION.length)));
}

function describeInteger(name: string, schema: SchemaObject): void {
  makeInteger(schema);
  if (IDS.test(name) && schema.items && !('$ref' in schema.items)) {
    makeInteger(schema.items);
  }
}

function makeInteger(schema: SchemaObject): void {
  const types = typesOf(schema).map((type) => (type === 'number' ? 'integer' : type));
  if (types.length > 0) {
    // OpenAPI 3.1 allows lists of types, which the types of the library do not include.
    Object.assign(schema, { type: Array.isArray(schema.type) ? types : types[0] });
  }
}

function typesOf(schema: SchemaObject): string[] {
  return schema.type === undefined ? [] : [schema.type].flat();
}

/** Returns the names of all schemas that a request body can contain. */
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
