import { parseTemplate } from '../../access/paths/path-template.js';
import { readUngrantablePattern, type UngrantablePattern } from '../../access/paths/ungrantable-pattern.js';
import { splitTemplate, type ToldBy, toldBy } from '../../access/paths/told-by.js';
import { isObject, type JsonObject, OpenApiFault, property, step, textProperty } from './openapi-fault.js';
import { OpenApiReferences } from './openapi-references.js';
import { DEFAULT_PLACE, readServers, type ServerPlace } from './openapi-servers.js';

/** An operation that keys can be granted. */
export interface ServiceOperation {
  method: string;
  /** The path template, with the path of the server in front. */
  path: string;
  /** The path without the names of its parameters. Two paths with the same shape are one endpoint. */
  shape: string;
  applicationScoped: boolean;
  summary: string;
  tag: string;
  deprecated: boolean;
}

/** An ungrantable operation, and the reason. */
export interface SkippedOperation {
  method: string;
  path: string;
  reason: string;
  /**
   * The paths that may mean this operation; null if no path of this service can. Rows of older versions have no value.
   */
  pattern?: UngrantablePattern | null;
  /** What distinguishes the operation besides its path, if anything does. */
  by?: ToldBy;
}

/** Two operations that requests cannot distinguish. */
export interface OperationConflict {
  /** The position of the second operation in the document. */
  pointer: string;
  detail: string;
}

/** The content of an OpenAPI document. */
export interface ServiceDescription {
  operations: ServiceOperation[];
  skipped: SkippedOperation[];
  conflicts: OperationConflict[];
}

/** The maximum number of operations in one document, including skipped ones. */
const OPERATIONS_MAX = 20_000;
/** The maximum number of ungrantable operations among them, because one column stores all of them. */
const SKIPPED_MAX = 2000;
/**
 * The maximum number of segments of all paths, ten per operation. Each segment may become a trie node, which stays in
 * memory for decisions.
 */
const SEGMENTS_MAX = 200_000;

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const SUMMARY_LENGTH_MAX = 1000;
const TAG_LENGTH_MAX = 255;
const SKIPPED_LENGTH_MAX = 600;
/** No request has a longer path, because the headers of a request are limited to 16 KB. */
const TEMPLATE_LENGTH_MAX = 4000;

interface Level {
  value: JsonObject;
  pointer: string;
  place: ServerPlace;
}

/**
 * Reads the endpoints of an OpenAPI 3.0 or 3.1 document. Throws `OpenApiFault` if it is invalid.
 *
 * @param applicationParameter the name of the path parameter that holds the Application id
 */
export function readOpenApi(document: unknown, applicationParameter: string): ServiceDescription {
  if (!isObject(document)) {
    throw new OpenApiFault('', 'must be an OpenAPI document: an object');
  }
  const version = property(document, 'openapi');
  if (typeof version !== 'string' || !/^3\.[01](?:\.|$)/.test(version)) {
    const found = property(document, 'swagger') === undefined ? '' : ', and this is Swagger';
    throw new OpenApiFault('/openapi', `must be a version 3.0.x or 3.1.x: Latchkey reads no others${found}`);
  }
  const references = new OpenApiReferences(document);
  references.refuseExternal();
  return new DocumentReading(document, references, applicationParameter).read();
}

class DocumentReading {
  private readonly operations: ServiceOperation[] = [];
  private readonly skipped: SkippedOperation[] = [];
  private readonly conflicts: OperationConflict[] = [];
  private readonly taken = new Map<string, string>();
  private segmentCount = 0;
  /** The document's own server is the service. A server with another origin is a different service. */
  private readonly own: ServerPlace;

  constructor(
    private readonly document: JsonObject,
    private readonly references: OpenApiReferences,
    private readonly applicationParameter: string,
  ) {
    this.own = readServers(document, '') ?? DEFAULT_PLACE;
  }

  read(): ServiceDescription {
    const paths = property(this.document, 'paths');
    // An OpenAPI 3.1 document may contain only webhooks.
    if (!isObject(paths) && !(paths === undefined && String(this.document.openapi).startsWith('3.1'))) {
      throw new OpenApiFault('/paths', 'must be an object');
    }
    for (const [path, item] of Object.entries(paths ?? {})) {
      if (!path.startsWith('x-')) {
        this.readPath(path, { value: this.pathItem(item, path), pointer: `/paths${step(path)}`, place: this.own });
      }
    }
    return { operations: this.operations, skipped: this.skipped, conflicts: this.conflicts };
  }

  /** Resolves a path item, which may be a reference with siblings (OpenAPI 3.1 allows that). */
  private pathItem(item: unknown, path: string): JsonObject {
    const referred = this.references.resolve(item, `/paths${step(path)}`);
    return isObject(item) ? { ...referred, ...item } : referred;
  }

  private readPath(path: string, parent: Level): void {
    const { value: item, pointer } = parent;
    const level: Level = { ...parent, place: readServers(item, pointer) ?? parent.place };
    for (const method of METHODS) {
      const operation = property(item, method);
      if (operation === undefined) {
        continue;
      }
      if (!isObject(operation)) {
        throw new OpenApiFault(`${pointer}/${method}`, 'must be an object');
      }
      if (this.operations.length + this.skipped.length === OPERATIONS_MAX) {
        throw new OpenApiFault('/paths', `has more than ${OPERATIONS_MAX} operations`);
      }
      this.readOperation(method, path, level, {
        value: operation,
        pointer: `${pointer}/${method}`,
        place: readServers(operation, `${pointer}/${method}`) ?? level.place,
      });
    }
  }

  private readOperation(method: string, path: string, item: Level, operation: Level): void {
    const { place, pointer } = operation;
    const METHOD = method.toUpperCase();
    const skip = (shown: string, reason: string, pattern?: UngrantablePattern, by?: ToldBy): void => {
      if (this.skipped.length === SKIPPED_MAX) {
        throw new OpenApiFault('/paths', `has more than ${SKIPPED_MAX} operations that keys cannot be granted`);
      }
      this.skipped.push({
        method: METHOD,
        path: clean(shown, SKIPPED_LENGTH_MAX),
        reason: clean(reason, SKIPPED_LENGTH_MAX),
        pattern: pattern ?? null,
        ...(by && { by }),
      });
    };
    if (place.kind === 'unusable') {
      return skip(path, place.reason);
    }
    if (this.isElsewhere(place.origin)) {
      return skip(path, `it is on another origin, ${place.origin}`);
    }
    const template = path.startsWith('/') ? place.basePath + path : `${place.basePath}/${path}`;
    if (template.length > TEMPLATE_LENGTH_MAX) {
      throw new OpenApiFault('/paths', `has a path of more than ${TEMPLATE_LENGTH_MAX} characters`);
    }
    this.segmentCount += template.split('/').length - 1;
    if (this.segmentCount > SEGMENTS_MAX) {
      throw new OpenApiFault('/paths', `has paths of more than ${SEGMENTS_MAX} segments in all`);
    }
    if (!path.startsWith('/')) {
      const { path: pathOnly, behind } = splitTemplate(template);
      const by = behind === '' ? undefined : toldBy(behind);
      return skip(path, 'it does not start with "/"', this.patternOf(pathOnly, item, operation), by);
    }
    if (!template.isWellFormed()) {
      return skip(template, 'it has half of a character');
    }
    const { path: pathOnly, behind } = splitTemplate(template);
    if (behind !== '') {
      const pattern = this.patternOf(pathOnly, item, operation);
      const by = this.toldBehindPath(behind, METHOD, path, item, operation);
      return skip(template, this.reasonOf(by, METHOD, path, pathOnly), pattern, by);
    }
    const parsed = parseTemplate(template);
    if (parsed.kind === 'ungrantable') {
      return skip(template, parsed.reason, this.patternOf(template, item, operation));
    }
    const names = parsed.segments.flatMap((segment) => (segment.kind === 'parameter' ? [segment.name] : []));
    const unfit = names.length === 0 ? undefined : this.unfitParameter(names, item, operation);
    if (unfit !== undefined) {
      return skip(template, unfit, this.patternOf(template, item, operation));
    }
    const shape = parsed.segments.map((segment) => (segment.kind === 'literal' ? `/${segment.text}` : '/{}')).join('');
    const other = this.taken.get(`${METHOD} ${shape}`);
    if (other !== undefined) {
      const detail = `${METHOD} ${template} and ${METHOD} ${other} are one endpoint`;
      this.conflicts.push({ pointer, detail });
      return undefined;
    }
    this.taken.set(`${METHOD} ${shape}`, template);
    const { value } = operation;
    const summary =
      textProperty(value, 'summary') ?? textProperty(item.value, 'summary') ?? textProperty(value, 'operationId') ?? '';
    const tags = property(value, 'tags');
    const tag: unknown = Array.isArray(tags) ? tags[0] : undefined;
    this.operations.push({
      method: METHOD,
      path: template,
      shape,
      applicationScoped: names.includes(this.applicationParameter),
      summary: clean(summary, SUMMARY_LENGTH_MAX),
      tag: typeof tag === 'string' ? clean(tag.trim(), TAG_LENGTH_MAX) : '',
      deprecated: property(value, 'deprecated') === true,
    });
  }

  private isElsewhere(origin: string | null): boolean {
    return origin !== null && !(this.own.kind === 'place' && this.own.origin === origin);
  }

  private patternOf(template: string, item: Level, operation: Level): UngrantablePattern | undefined {
    const described = this.parameters('path', item, operation);
    return readUngrantablePattern(template, (name) => saysMany(described.get(name) ?? {}));
  }

  /**
   * Finds what distinguishes an operation whose template continues after its path. Some documents write a fragment
   * instead of the query parameters that the operation requires, and that the operation without the fragment does not
   * have.
   */
  private toldBehindPath(behind: string, METHOD: string, path: string, item: Level, operation: Level): ToldBy {
    const by = toldBy(behind);
    const plain = by === 'nothing' ? this.plainOperation(METHOD, path) : undefined;
    if (!plain) return by;
    const known = new Set(this.parameters('query', plain.item, plain.operation).keys());
    const needed = [...this.parameters('query', item, operation)]
      .filter(([name, parameter]) => property(parameter, 'required') === true && !known.has(name))
      .map(([name]) => name)
      .filter((name) => typeof name === 'string');
    return needed.length > 0 ? needed : by;
  }

  /** Finds the operation with the same METHOD and the same path, without the query or fragment. */
  private plainOperation(METHOD: string, path: string): { item: Level; operation: Level } | undefined {
    const plainPath = splitTemplate(path).path;
    const found = property(this.document.paths as JsonObject, plainPath);
    if (found === undefined) return undefined;
    const pointer = `/paths${step(plainPath)}`;
    const item = { value: this.pathItem(found, plainPath), pointer, place: this.own };
    const operation = property(item.value, METHOD.toLowerCase());
    return isObject(operation)
      ? { item, operation: { value: operation, pointer: `${pointer}/${METHOD.toLowerCase()}`, place: this.own } }
      : undefined;
  }

  private reasonOf(by: ToldBy, METHOD: string, path: string, pathOnly: string): string {
    if (by !== 'nothing') {
      return 'only its query distinguishes it from other operations, and keys ignore the query';
    }
    return this.plainOperation(METHOD, path)
      ? `no request has its fragment: a key for ${METHOD} ${pathOnly} opens it too`
      : 'no request has its fragment';
  }

  /** Returns why a path parameter is not one whole segment, if its description says so. */
  private unfitParameter(names: readonly string[], item: Level, operation: Level): string | undefined {
    const described = this.parameters('path', item, operation);
    for (const name of names) {
      const parameter = described.get(name) ?? {};
      if (saysMany(parameter)) {
        return `the parameter {${name}} may match more than one segment`;
      }
      const style = property(parameter, 'style');
      if (style === 'matrix' || style === 'label') {
        return `the parameter {${name}} is written in the style "${style}", which is more than its value`;
      }
    }
    return undefined;
  }

  private parameters(place: 'path' | 'query', item: Level, operation: Level): Map<unknown, JsonObject> {
    const described = new Map<unknown, JsonObject>();
    for (const { value, pointer } of [item, operation]) {
      const parameters = property(value, 'parameters') ?? [];
      if (!Array.isArray(parameters)) {
        throw new OpenApiFault(`${pointer}/parameters`, 'must be a list');
      }
      for (const [index, entry] of parameters.entries()) {
        const parameter = this.references.resolve(entry, `${pointer}/parameters/${index}`);
        if (property(parameter, 'in') === place) {
          described.set(property(parameter, 'name'), parameter);
        }
      }
    }
    return described;
  }
}

/**
 * Returns whether a parameter may stand for several segments by its description. GitHub's document has its own keyword
 * for this, and OpenAPI 3.2 has `allowReserved`. The name of the parameter is checked with the template.
 */
function saysMany(parameter: JsonObject): boolean {
  return property(parameter, 'x-multi-segment') === true || property(parameter, 'allowReserved') === true;
}

/**
 * Returns the stored shape of an ungrantable operation, and what distinguishes it besides. Rows of older versions have
 * neither, so both are derived from the path and reason, unless the server is a different or unknown one.
 */
export function patternOfStored({ path, reason, pattern, by }: SkippedOperation): {
  pattern?: UngrantablePattern;
  by: ToldBy;
} {
  const { path: pathOnly, behind } = splitTemplate(path.startsWith('/') ? path : `/${path}`);
  if (pattern === null) {
    return { by: 'path' };
  }
  if (pattern !== undefined && (by !== undefined || behind === '')) {
    return { pattern, by: by ?? 'path' };
  }
  if (/\bserver\b|another origin/.test(reason)) {
    return { by: 'path' };
  }
  const many = /^the parameter \{(.*)\} may match more than one segment$/s.exec(reason)?.[1];
  const read = readUngrantablePattern(pathOnly, (name) => name === many);
  return { pattern: read, by: behind === '' ? 'path' : toldBy(behind) };
}

/** Makes a text storable on both engines, and cuts it to a length without splitting a character. */
function clean(text: string, lengthMax: number): string {
  const storable = text.replaceAll('\0', '').toWellFormed().slice(0, lengthMax);
  return storable.isWellFormed() ? storable : storable.slice(0, -1);
}
