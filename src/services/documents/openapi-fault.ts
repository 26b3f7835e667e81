/** An OpenAPI document cannot be used; `pointer` is the place in it (RFC 6901). */
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

/** Whether a value is a JSON object: neither a list nor null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object's own property; nothing that it inherits. */
export function property(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** A text property, if it is there and not blank. */
export function textProperty(object: JsonObject, name: string): string | undefined {
  const value = property(object, name);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** A property name as part of a JSON pointer. */
export function step(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
