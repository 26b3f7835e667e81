/** Generates random numbers that a seed repeats. */
export class Chance {
  constructor(private state: number) {}

  /** Returns a number from 0 up to, but without, 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** Returns an integer from 0 up to, but without, `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** Returns true with a probability of `share`, from 0 to 1. */
  in(share: number): boolean {
    return this.next() < share;
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
}

/** Texts that may have a special meaning to code that reads, stores, matches or shows them. */
export const TEXTS: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'x\udfffy',
  '\ufeff',
  '\u202eabc',
  'e\u0301\u0301\u0301\u0301',
  'ſtate',
  'İ',
  'ﷺ'.repeat(60),
  '😀'.repeat(50),
  '\r\nX-Injected: yes\r\n\r\n',
  'a\nb\rc\td',
  '%0d%0aX-Injected:%20yes',
  "' OR '1'='1",
  "'; DROP TABLE users; --",
  '") OR 1=1 -- ',
  '\\',
  "\\'",
  '%',
  '_',
  '%%%%____',
  '`id`',
  '1; SELECT SLEEP(10)',
  'a UNION SELECT password_hash FROM users',
  '=1+1',
  '@SUM(1)',
  "=cmd|'/c calc'!A1",
  '+1',
  '-1',
  '"quoted"',
  '<script>alert(1)</script>',
  '${7*7}{{7*7}}#{7*7}',
  '../../etc/passwd',
  '/',
  '//',
  'file:///etc/passwd',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  'true',
  '[object Object]',
  '1e999',
  '0x10',
  '1,2',
  '٣',
  '2026-02-30',
  '2026-13-01T00:00:00Z',
  '+275760-09-14T00:00:00.000Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '2027-06-30T22:00:00+99:99',
  'x'.repeat(256),
  'x'.repeat(5000),
  `${'a'.repeat(50)}!`,
  'a@b@c',
  `${'a'.repeat(300)}@example.com`,
  '"a b"@example.com',
  'A'.repeat(60_000),
];

/** Numbers at and beyond the limits of some readers. */
export const NUMBERS: readonly number[] = [
  0,
  -0,
  -1,
  1,
  2,
  0.5,
  1.1,
  100,
  101,
  1000,
  1001,
  20_001,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 53,
  2 ** 53 + 2,
  -(2 ** 63),
  1e21,
  1e308,
  5e-324,
  0.1 + 0.2,
];

/** Raw parts of a path or query. */
export const RAW_SEGMENTS: readonly string[] = [
  '%',
  '%zz',
  '%2',
  '%c3%28',
  '%ff',
  '%ed%a0%80',
  '%00',
  '1%00',
  '%2f',
  '1%2f2',
  '%2e%2e',
  '..',
  '.',
  '%5c',
  '%0d%0aX-Injected:%20yes',
  '%25zz',
  '%u0031',
  '0',
  '-1',
  '+1',
  '01',
  '1.0',
  '1e3',
  '1;2',
  '1,2',
  '*',
  ':id',
  '{id}',
  '(.*)',
  '2147483647',
  '2147483648',
  '9999999999',
  '99999999999999999999999999',
  '9'.repeat(4000),
  'x'.repeat(6000),
  '__proto__',
  'constructor',
  'NaN',
  "1'%20OR%20'1'='1",
  '1%20UNION%20SELECT%201',
  '%D9%A3',
  '%EF%BC%91',
];

/** Bodies that are not a JSON object, or only barely. */
export const RAW_BODIES: readonly string[] = [
  '',
  ' ',
  '{',
  '}',
  '[]',
  '[[]]',
  'null',
  'true',
  '0',
  '"x"',
  '{}',
  '{"a":1,"a":2}',
  "{'a':1}",
  '{"a":1,}',
  '\ufeff{}',
  '{"a":01}',
  '{"a":NaN}',
  '{"a":1e999}',
  '{"\\u0000":1}',
  '{"a":"\\ud800"}',
  '{"__proto__":{"isAdmin":true}}',
  '{"constructor":{"prototype":{"isAdmin":true}}}',
  '{"a":1}{"b":2}',
  '{"a":"\n"}',
  `${'['.repeat(5000)}${']'.repeat(5000)}`,
  `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
  '['.repeat(30_000),
  `{"a":"${'x'.repeat(110_000)}"}`,
  `{${Array.from({ length: 3000 }, (_, index) => `"f${index}":1`).join()}}`,
  '\u0000\u0001\u0002',
  '<a/>',
  'a=1&b=2',
];

/** Content types that a body may claim. */
export const CONTENT_TYPES: readonly string[] = [
  '',
  'application/json',
  'application/json; charset=utf-16',
  'application/json; charset="',
  'application/problem+json',
  'application/json, text/plain',
  'text/plain',
  'text/html',
  'application/xml',
  'application/x-www-form-urlencoded',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'multipart/form-data; boundary="',
  `multipart/form-data; boundary=${'b'.repeat(200)}`,
  'application/x-ndjson',
  '/',
  'json',
  'x'.repeat(1000),
];

/** Headers that have a meaning to some program on the way. */
export const HEADERS: readonly (readonly [string, string])[] = [
  ['X-HTTP-Method-Override', 'DELETE'],
  ['X-Original-URL', '/v1/users'],
  ['X-Rewrite-URL', '/v1/users'],
  ['X-Forwarded-Host', 'evil.example'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-For', "127.0.0.1' OR 1=1"],
  ['X-Forwarded-For', 'x'.repeat(2000)],
  ['X-Forwarded-For', '::1, , 999.999.999.999'],
  ['Forwarded', 'for=127.0.0.1;proto=https'],
  ['X-Request-Id', '<script>'],
  ['X-Request-Id', 'x'.repeat(65)],
  ['X-Request-Id', 'fuzz'],
  ['Cookie', `authorization=${'x'.repeat(3000)}`],
  ['Range', 'bytes=0-,0-,0-'],
  ['If-None-Match', '*'],
  ['If-Match', '*'],
  ['Accept', 'text/html;q=0.1, application/xml'],
  ['Accept-Encoding', 'gzip, br;q=zz, *;q=0'],
  ['Accept-Language', '../../../etc/passwd'],
  ['Origin', 'https://evil.example'],
  ['Origin', 'null'],
  ['Referer', '\u00e9\u00ff'],
  ['Content-Encoding', 'gzip'],
  ['Content-Encoding', 'x'],
  ['Expect', '100-continue'],
  ['Expect', 'something'],
  ['Te', 'trailers'],
  ['Upgrade', 'h2c'],
  ['__proto__', '{"isAdmin":true}'],
  ['constructor', 'x'],
];

/** Returns a value of any wrong type. */
export function hostileValue(chance: Chance): unknown {
  switch (chance.below(9)) {
    case 0:
      return null;
    case 1:
      return chance.in(0.5);
    case 2:
      return chance.pick(NUMBERS);
    case 3:
      return [];
    case 4:
      return [chance.pick(TEXTS), chance.pick(NUMBERS), null, {}];
    case 5:
      return { [chance.pick(TEXTS)]: chance.pick(TEXTS) };
    case 6:
      return deep(chance.pick([3, 20, 300, 2000]), chance);
    default:
      return chance.pick(TEXTS);
  }
}

function deep(depth: number, chance: Chance): unknown {
  let value: unknown = chance.pick(TEXTS.slice(0, 20));
  for (let level = 0; level < depth; level += 1) {
    value = chance.in(0.5) ? [value] : { a: value };
  }
  return value;
}
