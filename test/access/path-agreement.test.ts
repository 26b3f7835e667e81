import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { readRawPath } from '../../src/access/paths/raw-path.js';
import { size } from '../support/size.js';
import { anyCatalogueAndRequests, anyRaw } from './path-arbitraries.js';
import {
  behindUrl,
  expressReader,
  findMyWayReader,
  latchkeyReader,
  literalFirst,
  urlReader,
  type CatalogueEndpoint,
  type Reader,
} from './path-readers.js';

/*
 * Tests the promise of path safety: every string is either refused, or all readers select the same endpoint with the
 * same parameters. Literals and parameters compete in the catalogues.
 *
 * The readers here are Node's URL, Express and find-my-way, each alone, and both routers behind Node's URL. nginx and
 * Caddy need their own processes: see path-agreement-proxies.test.ts. Other readers (Envoy, Traefik, APISIX, Rails,
 * Spring) cannot run here, and depend on the rules alone.
 */

const findMyWayConfigs = [
  {},
  { caseSensitive: false },
  { ignoreTrailingSlash: true },
  { ignoreDuplicateSlashes: true },
  { useSemicolonDelimiter: true },
  { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true },
];

function readersOf(catalogue: readonly CatalogueEndpoint[]): Reader[] {
  const routers = [
    ...Object.keys(literalFirst).map((order) => expressReader(catalogue, order)),
    ...findMyWayConfigs.map((config) => findMyWayReader(catalogue, config)),
  ].filter((reader) => reader !== undefined);
  return [urlReader(catalogue), ...routers, ...routers.map(behindUrl)];
}

/** find-my-way responds with 404 to a parameter of more than 100 characters, which is a refusal. */
function isTooLongFor(reader: Reader, raw: string): boolean {
  return reader.name.startsWith('find-my-way') && /[^/?]{101}/.test(raw);
}

describe('every reader', () => {
  test('selects the endpoint that Latchkey selects, or Latchkey refuses', () => {
    let accepted = 0;
    fc.assert(
      fc.property(anyCatalogueAndRequests, ({ catalogue, requests }) => {
        const latchkey = latchkeyReader(catalogue);
        const readers = readersOf(catalogue);
        const disagreements: unknown[] = [];
        for (const [method, raw] of requests) {
          const expected = latchkey.select(method, raw);
          if (!expected) continue;
          accepted += 1;
          for (const reader of readers) {
            if (isTooLongFor(reader, raw)) continue;
            const selection = reader.select(method, raw);
            if (JSON.stringify(selection) !== JSON.stringify(expected)) {
              disagreements.push({ method, raw, expected, reader: reader.name, selection });
            }
          }
        }
        expect(disagreements).toEqual([]);
      }),
      { numRuns: size('security', 200, 600) },
    );
    // A property that is never tested holds vacuously.
    expect(accepted).toBeGreaterThan(300);
  }, 120_000);

  test("takes a path apart as Latchkey does (Node's URL)", () => {
    fc.assert(
      fc.property(anyRaw, (raw) => {
        const path = readRawPath(raw);
        if (path.kind === 'ambiguous') return;
        const url = new URL(raw, 'http://upstream.example');
        expect(url.host).toBe('upstream.example');
        expect(url.pathname.slice(1).split('/').map(decodeURIComponent)).toEqual(path.segments);
      }),
      { numRuns: size('security', 5000, 20_000) },
    );
  });

  test('agrees on every accepted vector, as a literal and as a parameter', () => {
    const vectors = JSON.parse(readFileSync(new URL('path-vectors.json', import.meta.url), 'utf8')) as {
      raw: string;
    }[];
    const catalogue = ['/', '/users/me', '/users/{id}', '/{a}', '/{a}/{b}', '/v1/users/{id}'].map((template) => ({
      method: 'GET',
      template,
    }));
    const latchkey = latchkeyReader(catalogue);
    for (const { raw } of vectors) {
      const expected = latchkey.select('GET', raw);
      if (!expected) continue;
      for (const reader of readersOf(catalogue)) {
        if (!isTooLongFor(reader, raw))
          expect([raw, reader.name, reader.select('GET', raw)]).toEqual([raw, reader.name, expected]);
      }
    }
  });
});

describe('the readers really disagree about', () => {
  test.each([
    ['case', '/users/ME'],
    ['a trailing slash', '/users/me/'],
    ['an escaped letter', '/users/m%65'],
    ['dot segments', '/users/7/../me'],
    ['encoded dot segments', '/users/7/%2e%2e/me'],
    ['a backslash', '/users\\me'],
    ['an empty segment', '/users//me'],
    ['a semicolon', '/users;x'],
    ['an escaped colon', '/users/a%3Ab'],
    ['the Kelvin sign', '/users/%E2%84%AA'],
    ['another host', '//users/me'],
  ])('%s, so that Latchkey refuses %s', (_, raw) => {
    const catalogue = ['/users', '/users/me', '/users/k', '/users/a:b', '/users/{id}', '/{x}'].map((template) => ({
      method: 'GET',
      template,
    }));
    expect(latchkeyReader(catalogue).select('GET', raw)).toBeUndefined();
    const answers = readersOf(catalogue).map((reader) => reader.select('GET', raw)?.endpoint);
    expect(new Set(answers).size).toBeGreaterThan(1);
  });
});
