/** A fault of an OpenAPI document. `pointer` is its position in the document (RFC 6901). */
export class OpenApiFault extends Error {
  constructor(
    readonly pointer: string,
    readonly detail: string,
  ) {
    super(`${pointer}: ${detail}`);
  }
}

/** Any JSON object. */
export type JsonObject = Record<string, unknown>;

/** Returns whether a value is a JSON object, and neither an array nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns an own property of an object, never an inherited one. */
export function property(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Returns a text property, if it exists and is not blank. */
export function textProperty(object: JsonObject, name: string): string | undefined {
  const value = property(object, name);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** Escapes a property name as a part of a JSON pointer. */
export function step(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
