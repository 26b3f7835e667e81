import fc from 'fast-check';
import { guard, unguard } from './formula-guard.js';

describe('the guard against formulas', () => {
  it('gives back whatever text it was given', () => {
    const tricky = fc.array(fc.constantFrom("'", '=', '+', '-', '@', '\t', '\r', '\n', ' ', '＝', 'a', '\u00a0'), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          tricky.map((parts) => parts.join('')),
          fc.string({ unit: 'grapheme' }),
        ),
        (text) => {
          expect(unguard(guard(text))).toBe(text);
        },
      ),
    );
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', ' =1', '＝1', "'=1", "''=1"])(
    'makes text of %j',
    (text) => {
      expect(guard(text)).toBe(`'${text}`);
    },
  );

  it.each(['SUMMER-1', "'quoted'", "rock'n'roll", '', '1=1', "O'=1"])('leaves %j alone, both ways', (text) => {
    expect(guard(text)).toBe(text);
    expect(unguard(text)).toBe(text);
  });
});
