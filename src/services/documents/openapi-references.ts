import { isObject, type JsonObject, OpenApiFault, property, step } from './openapi-fault.js';

/** The maximum length of a chain of references. */
const REFERENCES_MAX = 32;

/** The values of these properties only show what data looks like, so a `$ref` in them is not a reference. */
const EXAMPLES = new Set(['example', 'examples', 'default', 'enum', 'const']);

interface Visit {
  value: unknown;
  name: string;
  parent: Visit | undefined;
}

/** The references of one document. Only references within the document are followed. */
export class OpenApiReferences {
  constructor(private readonly document: JsonObject) {}

  /** Returns the object at a position, or the object that a reference there leads to. Throws `OpenApiFault`. */
  resolve(value: unknown, pointer: string): JsonObject {
    let current = value;
    for (let count = 0; ; count += 1) {
      if (!isObject(current)) {
        throw new OpenApiFault(pointer, 'must be an object');
      }
      const reference = property(current, '$ref');
      if (reference === undefined) {
        return current;
      }
      if (typeof reference !== 'string') {
        throw new OpenApiFault(pointer, 'has a $ref that is not a string');
      }
      if (count === REFERENCES_MAX) {
        throw new OpenApiFault(pointer, `leads through more than ${REFERENCES_MAX} references`);
      }
      current = this.find(reference, pointer);
    }
  }

  /** Throws `OpenApiFault` if anything in the document refers to another document. */
  refuseExternal(): void {
    // A YAML document can contain one object at many positions, or within itself.
    const seen = new Set<object>();
    const stack: Visit[] = [{ value: this.document, name: '', parent: undefined }];
    for (let visit = stack.pop(); visit; visit = stack.pop()) {
      const { value } = visit;
      if (typeof value !== 'object' || value === null || seen.has(value)) {
        continue;
      }
      seen.add(value);
      const reference = isObject(value) ? property(value, '$ref') : undefined;
      if (typeof reference === 'string' && !reference.startsWith('#')) {
        throw external(reference, pointerOf(visit));
      }
      for (const [name, child] of Object.entries(value)) {
        if (!EXAMPLES.has(name) && !name.startsWith('x-')) {
          stack.push({ value: child, name, parent: visit });
        }
      }
    }
  }

  private find(reference: string, pointer: string): unknown {
    if (!reference.startsWith('#')) {
      throw external(reference, pointer);
    }
    let current: unknown = this.document;
    for (const name of stepsOf(reference, pointer)) {
      current = (isObject(current) || Array.isArray(current)) && property(current as JsonObject, name);
      if (current === undefined || current === false) {
        throw new OpenApiFault(pointer, `refers to ${shown(reference)}, which is not in the document`);
      }
    }
    return current;
  }
}

function stepsOf(reference: string, pointer: string): string[] {
  let fragment: string;
  try {
    fragment = decodeURIComponent(reference.slice(1));
  } catch {
    throw new OpenApiFault(pointer, `refers to ${shown(reference)}, which is not correctly percent-encoded`);
  }
  if (fragment !== '' && !fragment.startsWith('/')) {
    throw new OpenApiFault(pointer, `refers to ${shown(reference)}, which is not a JSON pointer`);
  }
  return fragment
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function external(reference: string, pointer: string): OpenApiFault {
  return new OpenApiFault(
    pointer,
    `refers to ${shown(reference)}, which is another document: bundle them into one before they come here`,
  );
}

function shown(reference: string): string {
  return JSON.stringify(reference.slice(0, 200));
}

function pointerOf(visit: Visit): string {
  const names: string[] = [];
  for (let current = visit; current.parent; current = current.parent) {
    names.unshift(step(current.name));
  }
  return names.join('');
}
