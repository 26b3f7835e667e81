import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RequestMethod } from '@nestjs/common';
import { HTTP_CODE_METADATA, METHOD_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { documentedAccess } from '../../src/openapi/describe-access.js';
import { EndpointCatalogue } from '../../src/access/endpoint-catalogue.js';
import { PROBLEMS, type ProblemCode } from '../../src/problems/problem-codes.js';
import { createDatabase, type Latchkey, startLatchkey, type TestDatabase } from '../support/harness.js';
import { type ServerProcess, startServer } from '../support/process.js';

interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  items?: Schema;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  additionalProperties?: unknown;
  description?: string;
  example?: unknown;
  examples?: unknown[];
  enum?: unknown[];
}

interface Content {
  schema?: Schema;
  example?: unknown;
  examples?: Record<string, { $ref?: string; value?: { code: string; status: number; endpoint?: string } }>;
}

interface Operation {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  security: Record<string, string[]>[];
  parameters?: { name: string; in: string; description?: string; schema: Schema; example?: unknown }[];
  requestBody?: { content: Record<string, Content> };
  responses: Record<string, { description: string; content?: Record<string, Content> }>;
  'x-access': { kind: string; session?: string; scope?: string };
  'x-problems'?: ProblemCode[];
}

interface Document {
  openapi: string;
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; examples: Record<string, { value: { code: string } }> };
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const RAW = ['GET /v1/forward_auth/{dialect}/{service}', 'GET /metrics'];

/** Tests the document that the service serves, because the compiler plugin completes it only during the build. */
describe('the OpenAPI document', () => {
  let database: TestDatabase;
  let built: ServerProcess;
  let latchkey: Latchkey;
  let document: Document;
  let operations: { name: string; operation: Operation }[];

  beforeAll(async () => {
    database = await createDatabase();
    built = await startServer({ DATABASE_URL: database.url });
    latchkey = await startLatchkey();
    document = (await (await fetch(`${built.url}/openapi.json`)).json()) as Document;
    operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
    );
  });

  afterAll(async () => {
    await built?.stop();
    await database?.drop();
    await latchkey?.close();
  });

  const own = () => operations.filter(({ name }) => !RAW.includes(name));
  const resolve = (schema: Schema): Schema =>
    schema.$ref ? document.components.schemas[schema.$ref.replace('#/components/schemas/', '')]! : schema;

  /** Returns every field below a schema that has no example or equivalent. */
  const withoutExample = (given: Schema, place: string, seen: Schema[] = []): string[] => {
    const schema = resolve(given);
    const has = (one: Schema) => one.example !== undefined || one.examples !== undefined || one.enum !== undefined;
    if (has(given) || has(schema) || seen.includes(schema)) {
      return [];
    }
    const parts = [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
    if (parts.length > 0) {
      return parts.flatMap((part) => (part.type === 'null' ? [] : withoutExample(part, place, [...seen, schema])));
    }
    if (schema.items) {
      return withoutExample(schema.items, `${place}[]`, [...seen, schema]);
    }
    if (schema.properties) {
      return Object.entries(schema.properties).flatMap(([name, property]) =>
        withoutExample(property, `${place}.${name}`, [...seen, schema]),
      );
    }
    return [place];
  };

  test('has exactly the endpoints of the catalogue, with the same access, summary and tag', () => {
    const described = own().map(({ name, operation }) => ({
      name,
      access: operation['x-access'],
      summary: operation.summary,
      tag: operation.tags[0],
    }));
    const declared = latchkey.get(EndpointCatalogue).own.map((endpoint) => ({
      name: `${endpoint.method} ${endpoint.path}`,
      access: documentedAccess(endpoint),
      summary: endpoint.summary,
      tag: endpoint.tag,
    }));
    const byName = (one: { name: string }, other: { name: string }) => one.name.localeCompare(other.name);
    expect(described.sort(byName)).toEqual(declared.sort(byName));
  });

  test('requires for each operation exactly the credentials that it accepts', () => {
    const schemes: Record<string, string[]> = {
      public: [],
      'signed-in': ['manager_auth'],
      'admin-only': ['manager_auth'],
      key: ['management_key', 'manager_auth'],
      judged: ['management_key'],
    };
    for (const { name, operation } of operations) {
      const required = operation.security.map((requirement) => Object.keys(requirement));
      expect({ name, required: required.flat() }).toEqual({ name, required: schemes[operation['x-access'].kind] });
    }
  });

  test('gives each operation a unique id, a summary, and a tag that has a description', () => {
    const tags = document.tags.map(({ name }) => name);
    for (const { name, operation } of operations) {
      expect({ name, summary: operation.summary }).toEqual({ name, summary: expect.stringMatching(/^[A-Z].*[^.]$/) });
      expect({ name, tags: operation.tags.filter((tag) => tags.includes(tag)) }).toEqual({
        name,
        tags: [expect.any(String)],
      });
      expect(operation.description).toContain('**Access:**');
    }
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(document.tags.filter(({ description }) => !description)).toEqual([]);
    const used = operations.map(({ operation }) => tags.indexOf(operation.tags[0]!));
    expect(used).toEqual([...used].sort((one, other) => one - other));
  });

  test('describes each parameter and each field of a body', () => {
    const undescribed = [
      ...operations.flatMap(({ name, operation }) =>
        (operation.parameters ?? [])
          .filter(({ description }) => !description)
          .map((parameter) => `${name} ${parameter.name}`),
      ),
      ...Object.entries(document.components.schemas).flatMap(([name, schema]) =>
        Object.entries(schema.properties ?? {})
          .filter(([, property]) => !property.description && !resolve(property).description)
          .map(([field]) => `${name}.${field}`),
      ),
    ];
    expect(undescribed).toEqual([]);
  });

  test('has an example of every body of a request or response', () => {
    const bodies = operations.flatMap(({ name, operation }) => [
      ...Object.entries(operation.requestBody?.content ?? {}).map(([type, content]) => ({
        place: `${name} ${type}`,
        content,
      })),
      ...Object.entries(operation.responses)
        .filter(([status]) => Number(status) < 300)
        .flatMap(([status, response]) =>
          Object.entries(response.content ?? {}).map(([type, content]) => ({
            place: `${name} ${status} ${type}`,
            content,
          })),
        ),
    ]);
    const withoutExamples = bodies
      .filter(({ place }) => !place.endsWith('multipart/form-data'))
      .flatMap(({ place, content }) =>
        content.example !== undefined || content.examples ? [] : withoutExample(content.schema ?? {}, place),
      );
    expect(withoutExamples).toEqual([]);
  });

  test('documents a successful response of each operation, with a body or as 204', () => {
    for (const { name, operation } of own()) {
      const successes = Object.entries(operation.responses).filter(([status]) => Number(status) < 300);
      expect({ name, successes }).not.toEqual({ name, successes: [] });
      for (const [status, response] of successes) {
        expect({ name, status, hasBody: response.content !== undefined }).toEqual({
          name,
          status,
          hasBody: status !== '204',
        });
      }
    }
  });

  test('has the status with which each handler responds', () => {
    const scanner = new MetadataScanner();
    const handlers = latchkey
      .get(DiscoveryService)
      .getControllers()
      .flatMap(({ metatype }) => {
        const prototype = (metatype as { prototype: Record<string, object> }).prototype;
        return scanner.getAllMethodNames(prototype).map((name) => ({ name, handler: prototype[name]! }));
      })
      .filter(({ handler }) => Reflect.hasMetadata(METHOD_METADATA, handler));
    for (const { name, handler } of handlers) {
      const usual = Reflect.getMetadata(METHOD_METADATA, handler) === RequestMethod.POST ? 201 : 200;
      const status = (Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined) ?? usual;
      const { operation } = own().find(({ operation: { operationId } }) => operationId === name)!;
      expect({ name, statuses: Object.keys(operation.responses) }).toEqual({
        name,
        statuses: expect.arrayContaining([String(status)]),
      });
    }
  });

  test('lists the refusals that follow from the access', () => {
    for (const { name, operation } of operations) {
      const { kind, session, scope } = operation['x-access'];
      const codes = operation['x-problems'] ?? [];
      const expected: ProblemCode[] = [
        ...(kind === 'public' ? [] : (['credential-missing', 'creator-deactivated', 'endpoint-not-allowed'] as const)),
        ...(kind === 'admin-only' || session === 'admin' ? (['admin-required'] as const) : []),
        ...(kind === 'key' ? (['application-not-allowed'] as const) : []),
        ...(scope === 'application' ? (['application-malformed'] as const) : []),
      ];
      expect({ name, codes: expected.filter((code) => codes.includes(code)) }).toEqual({ name, codes: expected });
    }
  });

  test('has one response per status and one example per problem code', () => {
    for (const { name, operation } of operations) {
      const shown = Object.entries(operation.responses)
        .filter(([status]) => Number(status) >= 400)
        .flatMap(([status, response]) => {
          const { schema, examples } = response.content!['application/problem+json']!;
          expect(schema).toEqual({ $ref: '#/components/schemas/Problem' });
          return Object.entries(examples!).map(([code, example]) => {
            const value = example.value ?? document.components.examples[code]!.value;
            expect(value).toMatchObject({ code, status: Number(status) });
            return code;
          });
        });
      expect({ name, shown: shown.sort() }).toEqual({ name, shown: [...(operation['x-problems'] ?? [])].sort() });
      expect(shown.filter((code) => !(code in PROBLEMS))).toEqual([]);
    }
  });

  test('explains keys in ten lines and has the version of the package', () => {
    expect(document.info.description.match(/^\d+\. /gm)).toHaveLength(10);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(document.info.version).toBe(version);
    expect(document.openapi).toMatch(/^3\.[01]\./);
  });

  test('breaks none of the recommended rules of Redocly', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-openapi-'));
    try {
      const file = join(folder, 'openapi.json');
      writeFileSync(file, JSON.stringify(document));
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [join(ROOT, 'node_modules/@redocly/cli/bin/cli.js'), 'lint', '--extends=recommended', '--format=json', file],
        {
          cwd: folder,
          env: { PATH: process.env.PATH, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
          maxBuffer: 64 * 1024 * 1024,
        },
      ).catch((error: { stdout: string }) => error);
      const { problems } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
        problems: { severity: string; ruleId: string; message: string; location: { pointer: string }[] }[];
      };
      const faults = problems
        .filter(({ severity }) => severity === 'error')
        .map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer}`);
      expect(faults).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('is served only as JSON, and only to GET and HEAD', async () => {
    const answer = await fetch(`${built.url}/openapi.json`, { method: 'HEAD' });
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect((await fetch(`${built.url}/openapi.json`, { method: 'POST' })).status).toBe(405);
    for (const path of ['/docs-json', '/docs-yaml', '/openapi.yaml', '/docs/openapi.yaml', '/openapi.json/']) {
      expect({ path, status: (await fetch(built.url + path)).status }).toEqual({ path, status: 404 });
    }
  });

  test('has a page whose own files name no other host', async () => {
    const html = await (await fetch(`${built.url}/docs`)).text();
    const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file!);
    expect(files).toEqual(expect.arrayContaining(['docs/page.css', 'docs/page.js', 'docs/favicon.svg']));
    for (const file of files) {
      const answer = await fetch(new URL(file, `${built.url}/docs`));
      expect({ file, status: answer.status }).toEqual({ file, status: 200 });
    }
    const ours = readdirSync(join(ROOT, 'dist/openapi/docs-page'));
    expect(ours.length).toBeGreaterThan(3);
    for (const file of ours) {
      const text = readFileSync(join(ROOT, 'dist/openapi/docs-page', file), 'utf8');
      const addresses = text.match(/(?:[a-z]+:)?\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)+/gi) ?? [];
      expect({ file, addresses: addresses.filter((address) => address !== 'http://www.w3.org') }).toEqual({
        file,
        addresses: [],
      });
    }
  });

  test('is served with only the files that the page needs', async () => {
    for (const path of [
      '/docs/LICENSE',
      '/docs/package.json',
      '/docs/..%2fdocs-page.js',
      '/docs/oauth2-redirect.html',
    ]) {
      expect({ path, status: (await fetch(built.url + path)).status }).toEqual({ path, status: 404 });
    }
  });

  test('is not served if DOCS_ENABLED is false', async () => {
    const other = await startLatchkey({ DOCS_ENABLED: 'false' });
    try {
      expect((await other.anonymous.get('/docs')).status).toBe(404);
      expect((await other.anonymous.get('/')).status).toBe(404);
      expect((await other.anonymous.get('/docs/page.js')).status).toBe(404);
      expect((await other.anonymous.get('/openapi.json')).status).toBe(404);
    } finally {
      await other.close();
    }
  });
});
