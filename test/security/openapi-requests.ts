import {
  type Chance,
  CONTENT_TYPES,
  HEADERS,
  hostileValue,
  NUMBERS,
  RAW_BODIES,
  RAW_SEGMENTS,
  TEXTS,
} from './hostile.js';

/** The parts of a JSON schema that the document uses. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  example?: unknown;
  format?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: unknown;
  items?: Schema;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

interface Content {
  schema?: Schema;
}

/** One operation of the document. */
export interface Operation {
  operationId: string;
  parameters?: { name: string; in: string; required?: boolean; schema: Schema; example?: unknown }[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, { content?: Record<string, Content> }>;
  'x-access': { kind: string };
  'x-problems'?: string[];
}

/** The OpenAPI document of the service. */
export interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** A request as it is sent. The path of a `mangled` request may match another operation. */
export interface FuzzRequest {
  method: string;
  path: string;
  headers: [name: string, value: string][];
  body: string | Buffer | undefined;
  mangled: boolean;
}

/** The values for requests. */
export interface Subjects {
  /** Returns an existing value for a parameter, a property, or a property of the operation ("createUser.email"). */
  existing(name: string): unknown;
}

type How = 'valid' | 'nearly' | 'hostile';

/** Creates valid, nearly valid and hostile requests from an OpenAPI document. */
export class OpenApiRequests {
  constructor(
    private readonly document: Document,
    private readonly chance: Chance,
    private readonly subjects: Subjects,
  ) {}

  make(method: string, template: string, operation: Operation): FuzzRequest {
    const { chance } = this;
    const how: How = chance.in(0.4) ? 'valid' : chance.in(0.6) ? 'nearly' : 'hostile';
    const parameters = operation.parameters ?? [];
    let mangled = false;
    let path = template.replaceAll(/\{([^}]+)\}/g, (_whole, name: string) => {
      if (chance.in(how === 'valid' ? 0 : how === 'nearly' ? 0.1 : 0.4)) {
        mangled = true;
        return chance.in(0.6) ? chance.pick(RAW_SEGMENTS) : encode(chance.pick(TEXTS).slice(0, 2000));
      }
      const known = this.subjects.existing(name);
      return encode(String(known ?? this.value(parameters.find((one) => one.name === name)?.schema ?? {})));
    });
    if (how === 'hostile' && chance.in(0.1)) {
      mangled = true;
      path = chance.pick([`${path}/`, `/${path}`, path.toUpperCase(), `${path}/../x`, `${path};a=1`, `${path}%20`]);
    }
    const query = this.query(parameters, how);
    const headers = this.headers(parameters, how);
    const body = this.body(operation, how, headers);
    return { method, path: path + (query === '' ? '' : `?${query}`), headers, body, mangled };
  }

  private query(parameters: NonNullable<Operation['parameters']>, how: How): string {
    const { chance } = this;
    const parts = parameters
      .filter((one) => one.in === 'query' && (one.required === true || chance.in(0.3)))
      .map(({ name, schema }) => `${name}=${encode(String(this.subjects.existing(name) ?? this.value(schema)))}`);
    if (how === 'valid') {
      return parts.join('&');
    }
    const names = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
    const name = names.length > 0 && chance.in(0.8) ? chance.pick(names) : chance.pick(['x', '__proto__', 'isAdmin']);
    if (chance.in(how === 'nearly' ? 0.4 : 0.7)) {
      const value = chance.in(0.5) ? encode(chance.pick(TEXTS).slice(0, 4000)) : chance.pick(RAW_SEGMENTS);
      parts.push(
        chance.pick([
          `${name}=${value}`,
          `${name}=${chance.pick(NUMBERS)}`,
          `${name}=1&${name}=${value}`,
          `${name}[]=${value}`,
          `${name}[a][b]=${value}`,
          `${name}[__proto__][isAdmin]=true`,
          name,
          `${name}=`,
          `=${value}`,
          `&&&${name}=${value}&`,
          `%zz=1`,
          Array.from({ length: 1200 }, (_, index) => `p${index}=`).join('&'),
        ]),
      );
    }
    return parts.join('&');
  }

  private headers(parameters: NonNullable<Operation['parameters']>, how: How): [string, string][] {
    const { chance } = this;
    const headers = parameters
      .filter((one) => one.in === 'header' && chance.in(0.8))
      .map(({ name, schema, example }): [string, string] => [
        name,
        how !== 'valid' && chance.in(0.3)
          ? sendable(chance.pick(RAW_SEGMENTS))
          : String(this.subjects.existing(name) ?? example ?? this.value(schema)),
      ]);
    const count = how === 'valid' ? 0 : how === 'nearly' ? chance.below(2) : chance.below(4);
    for (let index = 0; index < count; index += 1) {
      const [name, value] = chance.pick(HEADERS);
      headers.push([name, value]);
      if (chance.in(0.2)) {
        headers.push([name, chance.in(0.5) ? value : 'other']);
      }
    }
    return headers;
  }

  private body(operation: Operation, how: How, headers: [string, string][]): FuzzRequest['body'] {
    const { chance } = this;
    const [type, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
    if (type === undefined) {
      if (how === 'hostile' && chance.in(0.2)) {
        headers.push(['Content-Type', chance.pick(CONTENT_TYPES)]);
        return chance.pick(RAW_BODIES);
      }
      return undefined;
    }
    if (how === 'hostile' && chance.in(0.1)) {
      return undefined;
    }
    if (type === 'multipart/form-data') {
      return this.upload(how, headers);
    }
    const contentType = how === 'hostile' && chance.in(0.2) ? chance.pick(CONTENT_TYPES) : type;
    if (contentType !== '') {
      headers.push(['Content-Type', contentType]);
    }
    if (how === 'hostile' && chance.in(0.5)) {
      return chance.in(0.05) ? Buffer.from([0x7b, 0xff, 0xfe, 0xc3, 0x28, 0x7d]) : chance.pick(RAW_BODIES);
    }
    const value = this.value(content?.schema ?? {}, operation.operationId);
    if (how !== 'valid' && typeof value === 'object' && value !== null) {
      for (let turn = chance.below(2) + 1; turn > 0; turn -= 1) {
        this.spoil(value as Record<string, unknown>);
      }
    }
    return JSON.stringify(value, (_key, inner: unknown) => (Object.is(inner, -0) ? 0 : inner));
  }

  /** Returns a form with a file of coupons, or something similar. */
  private upload(how: How, headers: [string, string][]): Buffer {
    const { chance } = this;
    const boundary = 'fuzz-boundary';
    const odd = how === 'hostile' && chance.in(0.2);
    headers.push(['Content-Type', odd ? chance.pick(CONTENT_TYPES) : `multipart/form-data; boundary=${boundary}`]);
    const columns = ['value', 'expirydate', 'startdate', 'recipientintegrationid', 'limitval', 'discountlimit'];
    const cell = (column: string): string => {
      if (how !== 'valid' && chance.in(0.15)) {
        return chance.in(0.5)
          ? chance.pick(TEXTS).slice(0, 3000)
          : `"${chance.pick(TEXTS).slice(0, 3000).replaceAll('"', '""')}"`;
      }
      switch (column) {
        case 'value':
          return `CODE-${chance.below(1e9)}`;
        case 'limitval':
          return String(chance.below(9));
        case 'discountlimit':
          return '2.5';
        case 'recipientintegrationid':
          return chance.pick(['', 'customer-1', "'=1"]);
        default:
          return chance.pick(['', '2027-06-30T22:00:00Z']);
      }
    };
    const chosen = columns.filter((column) => column === 'value' || chance.in(0.4));
    if (how === 'hostile' && chance.in(0.3)) {
      chosen.push(chance.pick(['value', 'unknown', '__proto__', '', '\ufeff']));
    }
    const end = chance.pick(['\n', '\r\n']);
    const rows = Array.from({ length: chance.below(6) + 1 }, () => chosen.map(cell).join(','));
    const csv = how === 'hostile' && chance.in(0.2) ? chance.pick(RAW_BODIES) : [chosen.join(), ...rows, ''].join(end);
    const name = how !== 'valid' && chance.in(0.1) ? chance.pick(['x', '', '__proto__', 'upfile']) : 'upFile';
    const file = chance.in(0.8) ? '; filename="coupons.csv"\r\nContent-Type: text/csv' : '';
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`;
    const whole = `${head}${csv.toWellFormed()}\r\n--${boundary}--\r\n`;
    return Buffer.from(how === 'hostile' && chance.in(0.3) ? whole.slice(0, chance.below(whole.length)) : whole);
  }

  /** Makes one property of an object invalid. */
  private spoil(object: Record<string, unknown>): void {
    const { chance } = this;
    const names = Object.keys(object);
    const name = names.length > 0 ? chance.pick(names) : 'x';
    const inner = object[name];
    if (chance.in(0.4) && typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0) {
      this.spoil(inner as Record<string, unknown>);
    } else if (chance.in(0.15)) {
      delete object[name];
    } else if (chance.in(0.2)) {
      // An assignment would change the prototype instead of adding a property.
      Object.defineProperty(object, chance.pick(['__proto__', 'constructor', 'isAdmin', 'id', 'passwordHash']), {
        value: hostileValue(chance),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    } else {
      object[name] = typeof inner === 'number' && chance.in(0.5) ? chance.pick(NUMBERS) : hostileValue(chance);
    }
  }

  /** Returns a value that a schema allows, as far as possible. */
  private value(given: Schema, name = ''): unknown {
    const { chance } = this;
    const known = this.subjects.existing(name);
    if (known !== undefined) {
      return known;
    }
    const schema = given.$ref
      ? (this.document.components.schemas[given.$ref.replace('#/components/schemas/', '')] ?? {})
      : given;
    if (schema.enum) {
      return chance.pick(schema.enum);
    }
    const choices = schema.oneOf ?? schema.anyOf ?? schema.allOf;
    if (choices) {
      return this.value(chance.pick(choices), name);
    }
    const types = Array.isArray(schema.type) ? schema.type : [schema.type];
    switch (chance.pick(types)) {
      case 'null':
        return null;
      case 'boolean':
        return chance.in(0.5);
      case 'integer':
        return this.number(schema);
      case 'number':
        return this.number(schema) + chance.pick([0, 0.5, 0.25]);
      case 'array': {
        if (schema.example !== undefined && chance.in(0.5)) {
          return schema.example;
        }
        const count = Math.max(schema.minItems ?? 0, chance.below(3));
        return Array.from({ length: count }, () => this.value(schema.items ?? {}, name));
      }
      case 'object':
        return this.object(schema, name);
      default:
        return this.text(schema);
    }
  }

  private object(schema: Schema, name: string): unknown {
    const { chance } = this;
    if (!schema.properties) {
      return chance.in(0.5) ? (schema.example ?? {}) : { a: [1, { b: null }], c: chance.pick(TEXTS) };
    }
    return Object.fromEntries(
      Object.entries(schema.properties)
        .filter(([property]) => schema.required?.includes(property) || chance.in(0.4))
        .map(([property, inner]) => [
          property,
          this.subjects.existing(`${name}.${property}`) ?? this.value(inner, property),
        ]),
    );
  }

  private number({ minimum = 0, maximum = 2 ** 31 - 1, example }: Schema): number {
    const { chance } = this;
    if (typeof example === 'number' && chance.in(0.3)) {
      return example;
    }
    return chance.in(0.02) ? maximum : minimum + chance.below(Math.min(maximum - minimum, 20) + 1);
  }

  private text(schema: Schema): string {
    const { chance } = this;
    if (schema.format === 'email') {
      return `user${chance.below(1e6)}@example.com`;
    }
    if (typeof schema.example === 'string' && chance.in(0.6)) {
      return schema.example;
    }
    if (schema.maxLength !== undefined && chance.in(0.05)) {
      return 'm'.repeat(schema.maxLength);
    }
    return chance.in(0.3) ? chance.pick(TEXTS).slice(0, schema.maxLength ?? 1000) : `text ${chance.below(1e6)}`;
  }
}

/** Percent-encodes a text. Lone surrogates become the bytes that they would have. */
function encode(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : '%ED%A0%80';
}

/** Returns a text that Node's client accepts in a header. */
function sendable(text: string): string {
  return text.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?');
}
