import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { CsvFault, CsvRows } from './csv-rows.js';

function read(text: string, sizes: number[] = [text.length + 1]): string[][] {
  const rows: string[][] = [];
  const csv = new CsvRows(1000);
  for (let start = 0, turn = 0; start < text.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    rows.push(...[...csv.read(text.slice(start, start + size))].map((row) => row.cells));
    start += size;
  }
  return [...rows, ...[...csv.end()].map((row) => row.cells)];
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
const pieces = fc.constantFrom('a', '"', '""', ',', '\n', '\r\n', '\r', ' ', 'é', '🎁', '\ufeff');

describe('rows of CSV', () => {
  it('come out as they were written, wherever the text is cut', () => {
    const cell = fc.oneof(
      fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join('')),
      fc.string({ unit: 'grapheme' }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 6 }), sizes, (rows, cuts) => {
        const text = stringify(rows, { quoted: true, quoted_empty: true });
        expect(read(text, cuts)).toEqual(rows);
      }),
    );
  });

  it('are what another reader finds in the same text, or both refuse it', () => {
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 20 }).map((parts) => parts.join('')),
        sizes,
        (text, cuts) => {
          let expected: string[][] | undefined;
          try {
            expected = parse(text, { bom: true, relax_column_count: true, record_delimiter: ['\r\n', '\n'] });
          } catch {
            expected = undefined;
          }
          let found: string[][] | undefined;
          try {
            found = read(text, cuts);
          } catch (error) {
            expect(error).toBeInstanceOf(CsvFault);
          }
          // The other reader makes a row of a blank line.
          const blank = (row: string[]): boolean => row.length === 1 && row[0] === '';
          expect(found?.filter((row) => !blank(row))).toEqual(expected?.filter((row) => !blank(row)));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('that never end are refused before they fill the memory', () => {
    const csv = new CsvRows(1000);
    expect(() => {
      for (let turn = 0; turn < 100; turn += 1) {
        expect([...csv.read('"x'.repeat(turn === 0 ? 1 : 0) + 'x'.repeat(99))]).toEqual([]);
      }
    }).toThrow('longer than 1000 characters');
  });
});
