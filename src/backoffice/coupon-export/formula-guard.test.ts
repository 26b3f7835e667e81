import fc from 'fast-check';
import { guard, unguard } from './formula-guard.js';

const SIGNS = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
const part = fc.constantFrom(...SIGNS, "'", '"', ',', ';', '|', '\t', '\r', '\n', ' ', '\u00a0', 'a');
const text = fc.oneof(
  fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'grapheme' }),
);

describe('the guard against formulas', () => {
  it('is reversible for any text', () => {
    fc.assert(
      fc.property(text, (given) => {
        expect(unguard(guard(given))).toBe(given);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([',', ';', '|', '\t', '\n', '\r'])(
    'leaves no cell that begins with a formula if a spreadsheet splits at %j, with or without quotes',
    (separator) => {
      fc.assert(
        fc.property(text, (given) => {
          for (const cell of guard(given).split(separator)) {
            const begin = cell.replace(/^[\s"]+/u, '').charAt(0);
            expect(SIGNS).not.toContain(begin);
          }
        }),
        { numRuns: 2000 },
      );
    },
  );

  it.each([
    ['=1+1', "'=1+1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "\t'=1"],
    [' =1', " '=1"],
    ['＝1', "'＝1"],
    ["'=1", "''=1"],
    ["x;=cmd|' /C calc'!A0", "x;'=cmd|' /C calc'!A0"],
    ['x;"=1"', 'x;"\'=1"'],
    ['x; \' "@A1', "x; ' \"'@A1"],
    ['x\t-1|+1,@1', "x\t'-1|'+1,'@1"],
    ['x\n=1', "x\n'=1"],
  ])('turns %j into text', (given, guarded) => {
    expect(guard(given)).toBe(guarded);
  });

  it.each(['SUMMER-1', "'quoted'", "rock'n'roll", '', '1=1', "O'=1", 'now -20%', "the '-5%' deal", 'a,b;c|d'])(
    'keeps %j unchanged in both directions',
    (given) => {
      expect(guard(given)).toBe(given);
      expect(unguard(given)).toBe(given);
    },
  );

  it('takes time in proportion to the length of the text', () => {
    const milliseconds = (length: number): number => {
      const given = '\t"'.repeat(length / 2);
      const began = performance.now();
      expect(unguard(guard(given))).toBe(given);
      return performance.now() - began;
    };
    milliseconds(1000);
    // Quadratic time would take more than a minute.
    expect(milliseconds(1_000_000)).toBeLessThan(5000);
  });
});
