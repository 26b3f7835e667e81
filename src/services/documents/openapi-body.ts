import { isUtf8 } from 'node:buffer';
import { Composer, type CST, type Document, Parser } from 'yaml';
import { notJson } from '../../input/json-fault.js';
import { DEFAULT_APPLICATION_PARAMETER } from './application-parameter.js';
import { isObject, OpenApiFault, property } from './openapi-fault.js';
import { readOpenApi, type ServiceDescription } from './openapi-document.js';

/** Texts of the request are cut off at this length, which is more than any field allows. */
const TEXT_LENGTH_MAX = 10_000;
/** How often a YAML document may use its anchors, because aliases of aliases grow exponentially. */
const ALIASES_MAX = 1000;
/** Levels of a YAML document. The composer is recursive, and V8 can abort the process near the end of the stack. */
const LEVELS_MAX = 500;

/** The content of the body of a registration. */
export type ReadBody =
  | { kind: 'json-malformed'; detail: string }
  /** All fields except the document. Values that no field allows are replaced by null. */
  | { kind: 'read'; fields: Record<string, unknown>; document: DocumentReading };

/** The content of the document. */
export type DocumentReading =
  | { kind: 'absent' }
  | { kind: 'fault'; pointer: string; detail: string }
  | { kind: 'described'; description: ServiceDescription };

/** Parses the JSON body of a registration, with the OpenAPI document in it. */
export function readServiceBody(bytes: Uint8Array): ReadBody {
  if (!isUtf8(bytes)) {
    return { kind: 'json-malformed', detail: 'The body is not UTF-8.' };
  }
  const text = new TextDecoder().decode(bytes);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { kind: 'json-malformed', detail: notJson(text) };
  }
  if (!isObject(body)) {
    return { kind: 'json-malformed', detail: 'The body must be a JSON object: start it with "{".' };
  }
  const fields = Object.fromEntries(
    Object.entries(body)
      .filter(([name]) => name !== 'openapi')
      .slice(0, 100)
      .map(([name, value]) => [name.slice(0, 100), typeof value === 'string' ? value.slice(0, TEXT_LENGTH_MAX) : null]),
  );
  const openapi = property(body, 'openapi');
  if (openapi === undefined) {
    return { kind: 'read', fields, document: { kind: 'absent' } };
  }
  const named = property(body, 'applicationParameter');
  const applicationParameter = typeof named === 'string' ? named : DEFAULT_APPLICATION_PARAMETER;
  try {
    const document = typeof openapi === 'string' ? parseText(openapi) : openapi;
    const description = readOpenApi(document, applicationParameter);
    return { kind: 'read', fields, document: { kind: 'described', description } };
  } catch (error) {
    if (error instanceof OpenApiFault) {
      const { pointer, detail } = error;
      return { kind: 'read', fields, document: { kind: 'fault', pointer, detail } };
    }
    // Aliases can nest values more deeply than the text does.
    if (error instanceof RangeError) {
      return { kind: 'read', fields, document: { kind: 'fault', pointer: '', detail: 'is nested too deeply' } };
    }
    throw error;
  }
}

/** Parses a document in text form. JSON is also YAML, but parsing it as JSON is much faster. */
function parseText(text: string): unknown {
  if (/^\s*\{/.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // The text may be YAML that starts with a brace.
    }
  }
  const document = parseYaml(text);
  const [first] = document.errors;
  if (first) {
    const line = text.slice(0, first.pos[0]).split('\n').length;
    throw new OpenApiFault('', `is neither JSON nor YAML: ${first.code} in line ${line}`);
  }
  try {
    return document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown;
  } catch (error) {
    if (error instanceof ReferenceError) {
      throw new OpenApiFault('', `uses YAML aliases more than ${ALIASES_MAX} times, or ones that do not exist`);
    }
    throw error;
  }
}

/** Does what `parseDocument` of the library does, but refuses deep nesting before anything recursive sees it. */
function parseYaml(text: string): Document.Parsed {
  const tokens = [...new Parser().parse(text)];
  if (tokens.some(isDeep)) {
    throw new OpenApiFault('', `is nested too deeply: more than ${LEVELS_MAX} levels`);
  }
  const composer = new Composer({ merge: true, logLevel: 'error', prettyErrors: false });
  const [document, second] = composer.compose(tokens, true, text.length);
  if (second) {
    throw new OpenApiFault('', 'is several YAML documents: send one');
  }
  return document as Document.Parsed;
}

/** Returns whether a token contains more levels than a document may have. */
function isDeep(token: CST.Token): boolean {
  const open: [token: CST.Token, level: number][] = [[token, 0]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [parts, level] = next;
    if (level > LEVELS_MAX) {
      return true;
    }
    if (parts.type === 'document' && parts.value) {
      open.push([parts.value, level + 1]);
    }
    for (const { key, value } of 'items' in parts ? parts.items : []) {
      open.push(...[key, value].filter((inner) => !!inner).map((inner) => [inner, level + 1] as [CST.Token, number]));
    }
  }
  return false;
}
