import fc from 'fast-check';
import { findUnsafeInteger } from './unsafe-integers.js';

describe('integers in a JSON text', () => {
  test('are not found if they are safe or in a string', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.maxSafeInteger(), fc.bigInt(), (value, integer, digits) => {
        expect(
          findUnsafeInteger(JSON.stringify({ value, integer, [`${digits}`]: `"${digits}" ${digits}` })),
        ).toBeUndefined();
      }),
    );
  });

  test('are found anywhere if JSON.parse would change them', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 300n), 10n ** 300n), fc.jsonValue(), (integer, value) => {
        const rounded = BigInt(Number(integer)) !== integer && String(Number(integer)) !== String(integer);
        const json = `{"a": ${JSON.stringify(value)}, "b\\"${integer}": [${integer}]}`;
        expect(findUnsafeInteger(json)).toBe(rounded ? String(integer) : undefined);
      }),
    );
    expect(findUnsafeInteger('[9007199254740993]')).toBe('9007199254740993');
    expect(findUnsafeInteger('[9007199254740992, 10000000000000000000000, 0.12345678901234567890]')).toBeUndefined();
  });

  test('are searched for in linear time', () => {
    const long = '1'.repeat(1_000_000);
    const began = performance.now();
    expect(findUnsafeInteger(`["${long}", "${'\\\\'.repeat(500_000)}", ${long}]`)).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
