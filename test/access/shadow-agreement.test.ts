import express from 'express';
import type { IncomingMessage, ServerResponse } from 'node:http';
import fc from 'fast-check';
import findMyWay, { type Config, type HTTPMethod, type HTTPVersion } from 'find-my-way';
import { readRawPath } from '../../src/access/paths/raw-path.js';
import { CompiledService, type ServiceRow } from '../../src/services/compiled-service.js';
import { readOpenApi } from '../../src/services/documents/openapi-document.js';

/*
 * A document may describe operations that keys cannot be granted: with a parameter inside a segment, or one that takes
 * several segments. The promise: whatever operation a reader selects for a path, a key for another operation never
 * opens it.
 */

/**
 * One segment of a path. `texts` are literals with parameters between them. `rest` matches one or more segments,
 * perhaps between texts. `digits` is a parameter with a condition.
 */
type Segment = { kind: 'texts'; texts: string[] } | { kind: 'rest'; texts: [string, string] } | { kind: 'digits' };

interface Operation {
  method: string;
  segments: Segment[];
}

const LITERALS = ['a', 'b', 'me', 'x.json', '7:cancel'];
const MIXED = [
  ['', '.json'],
  ['', ':cancel'],
  ['pre', ''],
  ['', '-', ''],
  ['a', '.json'],
  ['me', ''],
];

const anySegment = fc
  .oneof(
    { arbitrary: fc.constantFrom(...LITERALS).map((text) => [text]), weight: 5 },
    { arbitrary: fc.constant<string[]>(['', '']), weight: 5 },
    { arbitrary: fc.constantFrom(...MIXED), weight: 3 },
  )
  .map((texts): Segment => ({ kind: 'texts', texts }));
const anyRest = fc
  .constantFrom<[string, string][]>(
    ['', ''],
    ['', ''],
    ['', ''],
    ['', ':cancel'],
    ['', '.json'],
    ['pre', ''],
    ['me', '.json'],
  )
  .map((texts): Segment => ({ kind: 'rest', texts }));
const anyOther = fc.oneof(
  { arbitrary: anySegment, weight: 12 },
  { arbitrary: fc.constant<Segment>({ kind: 'digits' }), weight: 1 },
);

const anyOperation: fc.Arbitrary<Operation> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'POST'),
    segments: fc.array(anyOther, { minLength: 1, maxLength: 3 }),
    at: fc.option(fc.nat(3), { freq: 4 }),
    rest: anyRest,
    isLast: fc.boolean(),
  })
  .map(({ method, segments, at, rest, isLast }) => {
    if (at === null) return { method, segments };
    const place = isLast ? segments.length : Math.min(at, segments.length);
    return { method, segments: [...segments.slice(0, place), rest, ...segments.slice(place)] };
  });

const shapeOf = ({ method, segments }: Operation): string => `${method} ${JSON.stringify(segments)}`;

const anyDocument = fc.uniqueArray(anyOperation, { minLength: 2, maxLength: 8, selector: shapeOf });

const texts = ['a', 'b', 'me', 'ME', 'x.json', 'x.JSON', 'x%2Ejson', '.json', 'a.json', 'ab.json', '7', '7:cancel'];
const oddTexts = [
  '7%3Acancel',
  'x%3Acancel',
  ':cancel',
  'pre',
  'pre1',
  'PRE1',
  '1-2',
  '-',
  '1-',
  'me2',
  'x.json.',
  'me.json',
];
const anyText = fc.constantFrom(...texts, ...oddTexts);
const anySlash = fc.constantFrom('', '', '', '/');

/** A path derived from an operation of the document, or from similar ones. */
const anyAim = fc.record({
  aim: fc.option(fc.nat(), { freq: 5 }),
  texts: fc.array(anyText, { minLength: 5, maxLength: 5 }),
  length: fc.integer({ min: 1, max: 5 }),
  slash: anySlash,
});

function pathOf(operations: readonly Operation[], { aim, texts: pool, length, slash }: Aim): string {
  if (aim === null) return `/${pool.slice(0, length).join('/')}${slash}`;
  const segments = operations[aim % operations.length]!.segments.flatMap((segment, index) => {
    if (segment.kind === 'digits') return '7';
    const taken = segment.kind === 'rest' ? pool.slice(0, 1 + (length % 3)).join('/') : pool[index % pool.length];
    return segment.texts.join(taken);
  });
  return `/${segments.join('/')}${slash}`;
}

type Aim = typeof anyAim extends fc.Arbitrary<infer Value> ? Value : never;

/** Returns a path of an operation in the notation of some language, which numbers its parameters. */
function written(
  { segments }: Operation,
  parameter: (kind: Segment['kind'], number: number, isAlone: boolean) => string,
  text: (text: string) => string,
): string {
  let count = 0;
  return segments
    .map((segment) => {
      const texts = segment.kind === 'digits' ? ['', ''] : segment.texts;
      const isAlone = texts.every((one) => one === '');
      const parts = texts.map(
        (one, index) => (index === 0 ? '' : parameter(segment.kind, (count += 1), isAlone)) + text(one),
      );
      return `/${parts.join('')}`;
    })
    .join('');
}

const IN_TEMPLATES: Record<Segment['kind'], (name: string) => string> = {
  texts: (name) => `{${name}}`,
  rest: (name) => `{${name}+}`,
  digits: (name) => `{${name}:[0-9]+}`,
};
const templateOf = (operation: Operation): string =>
  written(
    operation,
    (kind, number) => IN_TEMPLATES[kind](`p${number}`),
    (text) => text,
  );

const nameOf = (operation: Operation): string => `${operation.method} ${templateOf(operation)}`;

/** Returns what Latchkey matches when it has stored the document, with or without its ungrantable operations. */
async function latchkey(
  operations: readonly Operation[],
  withSkipped: boolean,
): Promise<(method: string, raw: string) => string | undefined> {
  const paths: Record<string, Record<string, object>> = {};
  for (const operation of operations) {
    (paths[templateOf(operation)] ??= {})[operation.method.toLowerCase()] = {};
  }
  const read = readOpenApi({ openapi: '3.1.0', paths }, 'applicationId');
  fc.pre(read.conflicts.length === 0);
  const row: ServiceRow = {
    service: 'any',
    serviceId: 1,
    skipped: null,
    applicationParameter: 'applicationId',
    method: null,
    path: '',
    applicationScoped: 0,
    summary: '',
    tag: '',
  };
  const { tree } = await CompiledService.of([
    { ...row, skipped: withSkipped ? JSON.stringify(read.skipped) : null },
    ...read.operations.map(({ method, path }) => ({ ...row, method, path })),
  ]);
  return (method, raw) => {
    const path = readRawPath(raw);
    const match = path.kind === 'segments' ? tree.match(method, path) : path;
    return match.kind === 'match' ? `${match.value.method} ${match.value.path}` : undefined;
  };
}

const vaguenessOf = (segment: Segment): number => {
  if (segment.kind === 'digits') return 1;
  if (segment.texts.length === 1) return 0;
  if (segment.texts.some((text) => text !== '')) return 1;
  return segment.kind === 'rest' ? 3 : 2;
};
const keyOf = ({ segments }: Operation): string => segments.map(vaguenessOf).join('');
const literals = (operation: Operation): number => keyOf(operation).replaceAll(/[^0]/g, '').length;
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
const reversed = (text: string): string => [...text].reverse().join('');

/** Orders of registration in which an operation comes after all that are more literal everywhere. */
const ORDERS: Record<string, (one: Operation, other: Operation) => number> = {
  'from the left': (one, other) => compare(keyOf(one), keyOf(other)),
  'from the right': (one, other) => compare(reversed(keyOf(one)), reversed(keyOf(other))),
  'by number of literals': (one, other) => literals(other) - literals(one) || compare(keyOf(one), keyOf(other)),
  'the rest at the end': (one, other) =>
    Number(keyOf(one).includes('3')) - Number(keyOf(other).includes('3')) || compare(keyOf(one), keyOf(other)),
};

interface Reader {
  name: string;
  select(method: string, raw: string): string | undefined;
}

/** Returns undefined if Express cannot hold the document, because Express has no conditions. */
function expressReader(operations: readonly Operation[], order: string): Reader | undefined {
  if (operations.some(({ segments }) => segments.some(({ kind }) => kind === 'digits'))) return undefined;
  const app = express();
  let selected: string | undefined;
  for (const operation of [...operations].sort(ORDERS[order])) {
    const path = written(
      operation,
      (kind, number) => `${kind === 'rest' ? '*' : ':'}p${number}`,
      (text) => text.replace(/[{}()[\]+?!:*\\]/g, '\\$&'),
    );
    app.route(path)[operation.method.toLowerCase() as 'get'](() => (selected = nameOf(operation)));
  }
  return {
    name: `Express, literals first ${order}`,
    select(method, raw) {
      selected = undefined;
      app.router({ method, url: raw, headers: {} } as express.Request, {} as express.Response, () => undefined);
      return selected;
    },
  };
}

/** Returns undefined if find-my-way cannot hold the document, because it matches the rest of a path only at the end. */
function findMyWayReader(operations: readonly Operation[], config: Config<HTTPVersion.V1>): Reader | undefined {
  let selected: string | undefined;
  const router = findMyWay({ ...config, onBadUrl: () => undefined, defaultRoute: () => undefined });
  try {
    for (const operation of operations) {
      const path = written(
        operation,
        (kind, number, isAlone) =>
          kind === 'rest' ? '*' : `:p${number}${kind === 'digits' ? '([0-9]+)' : isAlone ? '' : '([^/]+)'}`,
        (text) => text.replaceAll(':', '::'),
      );
      router.on(operation.method as HTTPMethod, path, () => (selected = nameOf(operation)));
    }
  } catch (error) {
    if (error instanceof Error && /already declared|Wildcard must be/.test(error.message)) return undefined;
    throw error;
  }
  return {
    name: `find-my-way ${JSON.stringify(config)}`,
    select(method, raw) {
      selected = undefined;
      router.lookup({ method, url: raw, headers: {} } as IncomingMessage, {} as ServerResponse);
      return selected;
    },
  };
}

function readersOf(operations: readonly Operation[]): Reader[] {
  const configs = [{}, { caseSensitive: false }, { ignoreTrailingSlash: true }];
  return [
    ...Object.keys(ORDERS).map((order) => expressReader(operations, order)),
    ...configs.map((config) => findMyWayReader(operations, config)),
  ].filter((reader) => reader !== undefined);
}

test('what a reader selects is what the key is for, or the key is refused, whatever else a document describes', async () => {
  let accepted = 0;
  let wouldBeWrong = 0;
  await fc.assert(
    fc.asyncProperty(anyDocument, fc.array(anyAim, { minLength: 30, maxLength: 30 }), async (operations, aims) => {
      const select = await latchkey(operations, true);
      const careless = await latchkey(operations, false);
      const readers = readersOf(operations);
      const wrong: unknown[] = [];
      for (const raw of aims.map((aim) => pathOf(operations, aim))) {
        for (const method of ['GET', 'POST']) {
          const lets = select(method, raw);
          const wouldLet = careless(method, raw);
          if (lets !== undefined) accepted += 1;
          if (lets === undefined && wouldLet === undefined) continue;
          for (const reader of readers) {
            const selected = reader.select(method, raw);
            if (selected === undefined) continue;
            if (wouldLet !== undefined && selected !== wouldLet) wouldBeWrong += 1;
            if (lets !== undefined && selected !== lets) {
              wrong.push({ method, raw, lets, reader: reader.name, selected });
            }
          }
        }
      }
      expect(wrong).toEqual([]);
    }),
    { numRuns: 1500 },
  );
  // A property that is never tested holds vacuously.
  expect(accepted).toBeGreaterThan(1000);
  expect(wouldBeWrong).toBeGreaterThan(100);
}, 180_000);
