import fc from 'fast-check';
import { segmentsOf, shapeOf, type CatalogueEndpoint } from './path-readers.js';

// Few and similar, so that literals, parameters and paths often meet.
const literals = ['me', 'Me', 'users', 'k', 's', 'id', 'a:b', '(x)', '.well', 'me.json', '..a', "it's", '@', 'a+b'];

const anyLiteral = fc.oneof(
  { arbitrary: fc.constantFrom('me', 'me', 'Me', 'users', 'k'), weight: 3 },
  { arbitrary: fc.constantFrom(...literals), weight: 2 },
);
const anyTemplateSegment = fc.oneof({ arbitrary: anyLiteral, weight: 3 }, { arbitrary: fc.constant('{}'), weight: 3 });

const anyTemplate = fc
  .tuple(fc.array(anyTemplateSegment, { minLength: 0, maxLength: 4 }), fc.constantFrom('', '', '', '/'))
  .map(([segments, slash]) => {
    const named = segments.map((segment, index) => (segment === '{}' ? `{p${index}}` : segment));
    return segments.length === 0 ? '/' : `/${named.join('/')}${slash}`;
  });

const anyMethod = fc.constantFrom('GET', 'GET', 'POST', 'HEAD');

/** Different endpoints that compete with each other. */
const anyCatalogue: fc.Arbitrary<CatalogueEndpoint[]> = fc.uniqueArray(
  fc.record({ method: anyMethod, template: anyTemplate }),
  { minLength: 1, maxLength: 10, selector: ({ method, template }) => `${method} ${shapeOf(template)}` },
);

const hex = fc.constantFrom(...'0123456789abcdefABCDEF');
const anyEscape = fc.tuple(hex, hex).map(([high, low]) => `%${high}${low}`);
const anyAscii = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
const anyCharacter = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).map(encodeLoosely);
const oddities = [
  ...'. .. ... x. me. me.json %2e %2E%2e ; ;x=y \\ %5c %2f %252f %25 %2525 % %4 %zz %00 %20 %C3%A9 %c3%28'.split(' '),
  ...'%C0%AF %E2%84%AA %C5%BF %C4%B0d %C4%B1d %EF%BD%8D%EF%BD%85 m%65 a%3Ab A:B %40 %28x%29 a%2Bb {id} :id * " |'.split(
    ' ',
  ),
  ...['', 'a b', '\u00e9', '__proto__'],
];

const lookalikes: Record<string, string> = { k: '%E2%84%AA', s: '%C5%BF', i: '%C4%B0', e: '%C3%A9', m: '%EF%BD%8D' };
const respellings = ['upper', 'lower', 'escape', 'escape twice', 'lookalike', 'cut', 'double'] as const;
const anyRespelling = fc.record({ at: fc.nat({ max: 6 }), change: fc.constantFrom(...respellings) });

/** Returns a literal with one of its characters written in another way. */
function respelt(literal: string, { at, change }: { at: number; change: (typeof respellings)[number] }): string {
  // A character that is not a letter is the most interesting one.
  const special = literal.search(/[^A-Za-z]/);
  const index = special !== -1 && change.startsWith('escape') ? special : at % literal.length;
  const character = literal.charAt(index);
  const escape = `%${character.charCodeAt(0).toString(16)}`;
  const changed = {
    upper: character.toUpperCase(),
    lower: character.toLowerCase(),
    escape,
    'escape twice': `%25${escape.slice(1)}`,
    lookalike: lookalikes[character] ?? '%CC%81',
    cut: '',
    double: character + character,
  }[change];
  return literal.slice(0, index) + changed + literal.slice(index + 1);
}

const anyVariant = fc.tuple(anyLiteral, anyRespelling).map(([literal, respelling]) => respelt(literal, respelling));

const anySegment = fc.oneof(
  { arbitrary: anyLiteral, weight: 12 },
  { arbitrary: fc.constantFrom('7', 'x', 'mee', 'mE', '42', '%C4%B0', '%C3%9F'), weight: 6 },
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

/** Raw request targets: mostly nearly valid ones, and some arbitrary strings. */
export const anyRaw = fc.oneof(
  { arbitrary: anyNearlyValid, weight: 20 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 12 }), weight: 1 },
  { arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 12 }).map((text) => `/${text}`), weight: 2 },
  { arbitrary: fc.webPath(), weight: 1 },
);

/** A request derived from an endpoint of the catalogue, and then perhaps damaged. */
const anyAimed = fc.record({
  method: anyMethod,
  aim: fc.nat(),
  respellings: fc.array(fc.option(anyRespelling), { minLength: 4, maxLength: 4 }),
  segments: fc.array(anySegment, { minLength: 4, maxLength: 4 }),
  end: fc.constantFrom('', '', '', '', '', '/', '?a=b', '?_method=PUT', '.json'),
});

/** A catalogue and requests, most of which aim at its endpoints. */
export const anyCatalogueAndRequests: fc.Arbitrary<{ catalogue: CatalogueEndpoint[]; requests: [string, string][] }> =
  fc
    .record({
      catalogue: anyCatalogue,
      aimed: fc.array(anyAimed, { minLength: 20, maxLength: 20 }),
      others: fc.array(fc.tuple(anyMethod, anyRaw), { minLength: 10, maxLength: 10 }),
    })
    .map(({ catalogue, aimed, others }) => ({
      catalogue,
      requests: [
        ...aimed.map(({ method, aim, respellings: changes, segments, end }): [string, string] => {
          const template = catalogue[aim % catalogue.length]?.template ?? '/';
          const parts = segmentsOf(template).map((segment, index) => {
            if (segment.kind === 'parameter') return segments[index] ?? '';
            const change = changes[index];
            return change && segment.text !== '' ? respelt(segment.text, change) : segment.text;
          });
          return [method, `/${parts.join('/')}${end}`];
        }),
        ...others,
      ],
    }));

/** Encodes a character as a client would, or leaves it raw if it cannot be encoded. */
function encodeLoosely(character: string): string {
  return character.isWellFormed() ? encodeURIComponent(character) : character;
}
