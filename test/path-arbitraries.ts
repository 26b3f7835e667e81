import fc from 'fast-check';
import { shapeOf, type CatalogueEndpoint } from './path-readers.js';

// Few and alike, so that literals, parameters and paths meet often.
const literals = ['me', 'Me', 'users', 'k', 's', 'id', 'a:b', '(x)', '.well', 'me.json', '...', "it's", '@', 'a+b'];

const anyLiteral = fc.constantFrom(...literals);
const anyTemplateSegment = fc.oneof({ arbitrary: anyLiteral, weight: 3 }, { arbitrary: fc.constant('{}'), weight: 3 });

const anyTemplate = fc
  .tuple(fc.array(anyTemplateSegment, { minLength: 0, maxLength: 4 }), fc.constantFrom('', '', '', '/'))
  .map(([segments, slash]) => {
    const named = segments.map((segment, index) => (segment === '{}' ? `{p${index}}` : segment));
    return segments.length === 0 ? '/' : `/${named.join('/')}${slash}`;
  });

/** METHODs of requests and endpoints. */
export const anyMethod = fc.constantFrom('GET', 'GET', 'GET', 'POST', 'HEAD', 'DELETE');

/** Endpoints that compete with each other, no two of which are the same. */
export const anyCatalogue: fc.Arbitrary<CatalogueEndpoint[]> = fc.uniqueArray(
  fc.record({ method: anyMethod, template: anyTemplate }),
  { minLength: 1, maxLength: 10, selector: ({ method, template }) => `${method} ${shapeOf(template)}` },
);

const hex = fc.constantFrom(...'0123456789abcdefABCDEF');
const anyEscape = fc.tuple(hex, hex).map(([high, low]) => `%${high}${low}`);
const anyAscii = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
const anyCharacter = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).map(encodeLoosely);
const oddities = [
  ...[
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '',
    ';',
    ';x=y',
    '\\',
    '%5c',
    '%2f',
    '%252f',
    '%25',
    '%2525',
    '%',
    '%4',
    '%zz',
    '%00',
  ],
  ...['%20', '%C3%A9', '%c3%28', '%C0%AF', '%E2%84%AA', '%C5%BF', '%C4%B0d', '%C4%B1d', '%EF%BD%8D%EF%BD%85', '\u00e9'],
  ...[
    'me.',
    'me.json',
    'm%65',
    'a%3Ab',
    'A:B',
    '%40',
    '%28x%29',
    'a%2Bb',
    'a b',
    '{id}',
    ':id',
    '*',
    '"',
    '|',
    '__proto__',
  ],
];

/** A literal, one of whose characters is written in another way. */
const anyVariant = fc
  .tuple(anyLiteral, fc.nat({ max: 6 }), fc.constantFrom('upper', 'lower', 'escape', 'twice', 'cut', 'double'))
  .map(([literal, at, change]) => {
    const index = at % literal.length;
    const character = literal.charAt(index);
    const escape = `%${character.charCodeAt(0).toString(16)}`;
    const changed = {
      upper: character.toUpperCase(),
      lower: character.toLowerCase(),
      escape,
      twice: `%25${escape.slice(1)}`,
      cut: '',
      double: character + character,
    }[change];
    return literal.slice(0, index) + changed + literal.slice(index + 1);
  });

const anySegment = fc.oneof(
  { arbitrary: anyLiteral, weight: 12 },
  { arbitrary: fc.constantFrom('7', 'x', 'mee', 'mE', '42'), weight: 6 },
  { arbitrary: anyVariant, weight: 3 },
  { arbitrary: fc.constantFrom(...oddities), weight: 2 },
  {
    arbitrary: fc.array(fc.oneof(anyEscape, anyAscii, anyCharacter), { maxLength: 4 }).map((parts) => parts.join('')),
    weight: 2,
  },
  { arbitrary: fc.nat({ max: 120 }).map((length) => 'a'.repeat(length)), weight: 1 },
);

const anyNearlyValid = fc
  .tuple(
    fc.array(anySegment, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('', '', '', '', '/', '//', '/.', '/..', '?', '?a=b', '?a=/../b', '?_method=PUT', '#', ';', '%'),
    fc.constantFrom('/', '/', '/', '/', '/', '/', '/', '/', '//', '', 'http://upstream.example/', '\\', '/./'),
  )
  .map(([segments, end, start]) => start + segments.join('/') + end);

/** Raw request targets: mostly nearly valid ones, some arbitrary strings. */
export const anyRaw = fc.oneof(
  { arbitrary: anyNearlyValid, weight: 20 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 12 }), weight: 1 },
  { arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 12 }).map((text) => `/${text}`), weight: 2 },
  { arbitrary: fc.webPath(), weight: 1 },
);

/** As a client would send it, or raw where it cannot be encoded. */
function encodeLoosely(character: string): string {
  return character.isWellFormed() ? encodeURIComponent(character) : character;
}
