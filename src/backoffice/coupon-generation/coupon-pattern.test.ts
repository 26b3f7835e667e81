import fc from 'fast-check';
import { Problem } from '../../problems/problem.js';
import { type CodePattern, drawCodes } from './coupon-pattern.js';

function draw(pattern: CodePattern, wanted: number): string[] {
  const codes: string[] = [];
  for (const code of drawCodes(pattern, wanted)) {
    codes.push(code);
    if (codes.length === wanted) {
      break;
    }
  }
  return codes;
}

describe('codes drawn from a pattern', () => {
  it('match the pattern and are all different', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('#', '#', 'A', '-', '🎁', '$&'), { minLength: 1, maxLength: 8 }),
        fc.uniqueArray(fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 200 }),
        (parts, validCharacters, most) => {
          const couponPattern = parts.join('');
          const places = parts.filter((part) => part === '#').length;
          const wanted = Math.min(most, validCharacters.length ** places);
          const codes = draw({ couponPattern, validCharacters }, wanted);
          expect(new Set(codes).size).toBe(wanted);
          for (const code of codes) {
            const characters = Array.from(code);
            const pattern = Array.from(couponPattern);
            expect(characters).toHaveLength(pattern.length);
            pattern.forEach((character, place) =>
              expect(character === '#' ? validCharacters : [character]).toContain(characters[place]),
            );
          }
        },
      ),
    );
  });

  it('include every code that the pattern allows', () => {
    expect(draw({ couponPattern: 'S-#', validCharacters: ['a', 'b', 'c'] }, 3).sort()).toEqual(['S-a', 'S-b', 'S-c']);
    expect(draw({ couponPattern: 'ONE' }, 1)).toEqual(['ONE']);
    expect([...drawCodes({ couponPattern: '###', validCharacters: Array.from('0123456789') }, 1)]).toHaveLength(1000);
  });

  it.each([
    [{ couponPattern: 'ABC' }, 2],
    [{ couponPattern: 'A-#', validCharacters: ['x', 'x', 'y'] }, 3],
    [{ couponPattern: '##', validCharacters: ['1', '2'] }, 5],
  ])('are refused if the pattern allows too few', (pattern, wanted) => {
    expect(() => draw(pattern, wanted)).toThrow(Problem);
  });

  it('consist of A to Z and 0 to 9 by default', () => {
    for (const code of draw({ validCharacters: [] }, 100)) {
      expect(code).toMatch(/^[A-Z0-9]{8}$/);
    }
  });

  it('contain each character about equally often', () => {
    const counts = new Map<string, number>();
    for (const code of draw({ couponPattern: '#########' }, 4000)) {
      for (const character of code) {
        counts.set(character, (counts.get(character) ?? 0) + 1);
      }
    }
    expect(counts.size).toBe(36);
    // About a thousand of each are expected. Eight standard deviations are 250.
    for (const count of counts.values()) {
      expect(Math.abs(count - 1000)).toBeLessThan(250);
    }
  });

  it('are limited in number even if all of them are taken', () => {
    const drawn = [...drawCodes({ couponPattern: '##########' }, 5)];
    expect(drawn.length).toBeGreaterThan(100);
    expect(drawn.length).toBeLessThan(2000);
  });
});
