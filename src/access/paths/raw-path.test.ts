import { readFileSync } from 'node:fs';
import { findMethodOverride, readRawPath } from './raw-path.js';
import { OVERRIDE_PARAMETERS, OVERRIDE_PARAMETERS_BY_VALUE } from './request-overrides.js';

interface PathVector {
  raw: string;
  expect: 'segments' | 'ambiguous';
  segments?: string[];
  why: string;
}

const vectors = JSON.parse(
  readFileSync(new URL('../../../test/access/path-vectors.json', import.meta.url), 'utf8'),
) as PathVector[];

describe('a raw path', () => {
  test.each(vectors)('$expect: $why', ({ raw, expect: kind, segments }) => {
    const path = readRawPath(raw);
    expect(path.kind).toBe(kind);
    if (path.kind === 'segments') expect(path.segments).toEqual(segments);
  });

  test('has no duplicates among its vectors', () => {
    expect(new Set(vectors.map(({ raw }) => raw)).size).toBe(vectors.length);
  });

  test.each([
    ['/users//42', 'an empty segment'],
    ['/users/../42', 'a segment of dots'],
    ['/m%65', 'an escape of "e", which needs none'],
    ['/a%2Fb', 'an escaped "/"'],
    ['/a%0Ab', 'an escaped control character'],
    ['/a%', 'a "%" without two hex digits'],
    ['/%FF', 'escapes that are not UTF-8'],
    ['/%2541', 'an escape within an escape'],
    ['users', 'no "/" at its start'],
    ['/a?_method=PUT', 'a query parameter "_method", which may change the METHOD'],
  ])('%s is refused because of %s', (raw, reason) => {
    expect(readRawPath(raw)).toEqual({ kind: 'ambiguous', reason });
  });

  test('records which segments contained an escape', () => {
    expect(readRawPath('/a/b%3Ac/d')).toEqual({
      kind: 'segments',
      segments: ['a', 'b:c', 'd'],
      escaped: [false, true, false],
      query: '',
    });
  });

  test.each([
    ['/a', ''],
    ['/a?', ''],
    ['/a?b=%63+d;e?f', 'b=%63+d;e?f'],
    ['/a%3Ab?c', 'c'],
  ])('%s keeps its query unchanged', (raw, query) => {
    expect(readRawPath(raw)).toMatchObject({ kind: 'segments', query });
  });

  test('may have up to 8,192 bytes', () => {
    expect(readRawPath(`/${'a'.repeat(8191)}`).kind).toBe('segments');
    expect(readRawPath(`/${'a'.repeat(8192)}`).kind).toBe('ambiguous');
  });

  test.each([...Array(256).keys()])('with the raw byte %i is refused or has it unchanged', (byte) => {
    const character = String.fromCharCode(byte);
    const path = readRawPath(`/a${character}b`);
    const allowed = byte > 0x20 && byte < 0x7f && !'#%/;?\\'.includes(character);
    if (allowed) expect(path).toMatchObject({ kind: 'segments', segments: [`a${character}b`] });
    else if (character === '/') expect(path).toMatchObject({ kind: 'segments', segments: ['a', 'b'] });
    else if (character === '?') expect(path).toMatchObject({ kind: 'segments', segments: ['a'] });
    else expect(path.kind).toBe('ambiguous');
  });

  test.each([...Array(128).keys()])('with the escaped byte %i is refused or decoded', (byte) => {
    const character = String.fromCharCode(byte);
    const path = readRawPath(`/a%${byte.toString(16).padStart(2, '0')}b`);
    const allowed = byte > 0x20 && byte < 0x7f && !/[A-Za-z0-9\-._~#/;?\\]/.test(character);
    if (allowed) expect(path).toMatchObject({ kind: 'segments', segments: [`a${character}b`] });
    else expect(path.kind).toBe('ambiguous');
  });

  test.each([
    ['escapes', '/' + '%C3%A9'.repeat(1_300)],
    ['escapes that fail at the end', '/' + '%C3%A9'.repeat(1_300) + '%'],
    ['slashes that fail at the end', '/a'.repeat(4_000) + '//'],
    ['dots', '/' + '.'.repeat(8_000) + '%'],
    ['percent signs', '/' + '%25'.repeat(2_700)],
    ['parameters', '/a?' + '%26='.repeat(2_000)],
    ['nested escapes', '/a?' + '%25'.repeat(2_700)],
  ])('of 8 KB is read in less than 20 ms: %s', (_, raw) => {
    const times = [1, 2, 3, 4, 5].map(() => {
      const startedAt = performance.now();
      readRawPath(raw);
      return performance.now() - startedAt;
    });
    expect(Math.min(...times)).toBeLessThan(20);
  });
});

describe('a METHOD in the query', () => {
  test.each([
    ['/a?_method=PUT', '_method'],
    ['/a?_method', '_method'],
    ['/a?x&%5Fmethod[]=PUT', '_method'],
    ['/a?%2525255f=1&_Method=', '_method'],
    ['/a?_method%3Dput', '_method'],
    ['/a?x=1&_HTTPMETHOD=PATCH', '_HttpMethod'],
    ['/a?%24httpMethod=PATCH', '$httpMethod'],
    ['/a?x-http_method.override=PUT', 'X-HTTP-Method-Override'],
    ['/a?q=x-http-method-override=PUT', 'X-HTTP-Method-Override'],
    ['/a?method=PUT', 'method'],
    ['/a?METHOD=%64elete', 'method'],
    ['/a?method[]=get', 'method'],
    ['/a?method=invoice&method=POST', 'method'],
  ])('is found in %s', (raw, name) => expect(findMethodOverride(raw)).toBe(name));

  test.each([
    '/a',
    '/_method',
    '/a?',
    '/a?method',
    '/a?method=invoice',
    '/a?method=getUser',
    '/a?payment_method=POST',
    '/a?shipping-method=put',
    '/a?methods=DELETE',
    '/a?http_method=DELETE',
    '/a?x=_method',
    '/a?_methods',
    '/a?100%',
  ])('is not found in %s', (raw) => expect(findMethodOverride(raw)).toBeUndefined());

  test('is only read from parameters whose names contain "method"', () => {
    const names = [...OVERRIDE_PARAMETERS, ...OVERRIDE_PARAMETERS_BY_VALUE].map(({ name }) => name);
    expect(names.filter((name) => !/method/i.test(name))).toEqual([]);
  });
});
