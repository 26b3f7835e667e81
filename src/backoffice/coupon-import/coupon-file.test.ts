import { Readable } from 'node:stream';
import fc from 'fast-check';
import type { Fault } from '../../problems/problem.js';
import { readCouponFile } from './coupon-file.js';
import { DEFAULT_TERMS, type NewCoupon } from '../coupons/new-coupon.js';

interface Reading {
  coupons: NewCoupon[];
  lines: number[];
  faults: Fault[];
}

async function read(file: string | Buffer, size = 1 << 16): Promise<Reading> {
  const bytes = Buffer.from(file as string);
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, place) =>
    bytes.subarray(place * size, (place + 1) * size),
  );
  const coupons: NewCoupon[] = [];
  const lines: number[] = [];
  const faults = await readCouponFile(Readable.from(chunks), ({ coupon, line }) => {
    coupons.push(coupon);
    lines.push(line);
  });
  return { coupons, lines, faults };
}

async function faultsOf(file: string | Buffer): Promise<Fault[]> {
  return (await read(file)).faults;
}

describe('a file of coupons', () => {
  it('may have its columns in any order', async () => {
    const { coupons, faults } = await read(
      'attributes,limitval,value,discountlimit,recipientintegrationid,startdate,expirydate\n' +
        '"{""a"": 1}",5,SUMMER-1,2.5,customer-7,2027-01-01T00:00:00+01:00,2027-06-30T22:00:00Z\n',
    );
    expect(faults).toEqual([]);
    expect(coupons).toEqual([
      {
        ...DEFAULT_TERMS,
        value: 'SUMMER-1',
        attributes: '{"a":1}',
        usageLimit: 5,
        discountLimit: 2.5,
        recipientIntegrationId: 'customer-7',
        startDate: Date.parse('2026-12-31T23:00:00Z'),
        expiryDate: Date.parse('2027-06-30T22:00:00Z'),
      },
    ]);
  });

  it.each([
    ['LF', 'value,limitval\nABC,1\nDEF,2\n'],
    ['CRLF', 'value,limitval\r\nABC,1\r\nDEF,2\r\n'],
    ['no line break at its end', 'value,limitval\nABC,1\nDEF,2'],
    ['a byte-order mark', '\ufeffvalue,limitval\nABC,1\nDEF,2\n'],
    ['a byte-order mark before a quote', '\ufeff"value","limitval"\r\n"ABC","1"\r\n"DEF","2"\r\n'],
    ['blank lines', 'value,limitval\n\nABC,1\n\n\nDEF,2\n\n'],
    ['column names in other case and with spaces', ' VALUE , LimitVal \nABC,1\nDEF,2\n'],
    ['mixed line breaks', 'value,limitval\r\nABC,1\nDEF,2\r\n'],
    ['CR', 'value,limitval\rABC,1\rDEF,2\r'],
    ['CR CR LF', 'value,limitval\r\r\nABC,1\r\r\nDEF,2\r\r\n'],
    ['a CR without LF at its end', 'value,limitval\r\nABC,1\r\nDEF,2\r'],
  ])('may have %s', async (_what, file) => {
    for (const size of [1, 7, 1 << 16]) {
      const { coupons, faults } = await read(file, size);
      expect(faults).toEqual([]);
      expect(coupons.map(({ value, usageLimit }) => [value, usageLimit])).toEqual([
        ['ABC', 1],
        ['DEF', 2],
      ]);
    }
  });

  it('keeps spaces, quotes, commas, line breaks and every character of a code', async () => {
    const codes = [
      ' A ',
      'say "hi"',
      'a,b',
      'line\nbreak',
      'line\r\nbreak',
      'end\r',
      'äöü',
      '优惠券',
      '🎁🎁🎁',
      'e\u0301e\u0301e\u0301',
    ];
    const file = `value\n${codes.map((code) => `"${code.replaceAll('"', '""')}"`).join('\n')}\n`;
    for (const size of [1, 2, 3, 1 << 16]) {
      const { coupons, faults } = await read(file, size);
      expect(faults).toEqual([]);
      expect(coupons.map((coupon) => coupon.value)).toEqual(codes);
    }
  });

  it('has the line number of each row as editors count it, after line breaks in cells and blank lines', async () => {
    const { lines, faults } = await read('value,limitval\n"A\nB\r\nC",1\n\nDEF,2\r\n"G,\n",3\nJKL,4\n');
    expect(faults).toEqual([]);
    expect(lines).toEqual([2, 6, 7, 9]);
    expect(await faultsOf('value,limitval\n"A\nB\r\nC",1\n\nDEF,x\n')).toEqual([
      { line: 6, detail: expect.stringContaining('limitval') as string },
    ]);
  });

  it('has the line number of each row with any line breaks in cells and between rows, and with chunks of any size', async () => {
    const text = fc.array(fc.constantFrom('a', '""', ',', '\n', '\r\n', '\r', 'é', '🎁'), { maxLength: 6 });
    const row = fc.record({
      code: text.map((parts) => `ABC${parts.join('')}`),
      behind: fc.array(fc.constantFrom('\n', '\r\n'), { minLength: 1, maxLength: 3 }).map((breaks) => breaks.join('')),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 8 }), fc.integer({ min: 1, max: 9 }), async (rows, size) => {
        const file = `value\n${rows.map(({ code, behind }) => `"${code}"${behind}`).join('')}`;
        const { coupons, lines, faults } = await read(`${file}x\n`, size);
        expect(coupons.map(({ value }) => value)).toEqual(rows.map(({ code }) => code.replaceAll('""', '"')));
        const before = rows.map((_row, place) =>
          file
            .split('"ABC')
            .slice(0, place + 1)
            .join('"ABC'),
        );
        expect(lines).toEqual(before.map((part) => part.split('\n').length));
        expect(faults.map(({ line }) => line)).toEqual([file.split('\n').length]);
      }),
    );
  });

  it.each([
    ['is empty', '', 1, /empty/],
    ['has only blank lines', '\n\n', 1, /empty/],
    ['has no column value', 'code,limitval\nABC,1\n', 1, /no column "code"/],
    ['names a column twice', 'value,limitval,VALUE\nABC,1,DEF\n', 1, /value is there twice/],
    ['names an unknown column', 'value,expiry\nABC,2027-01-01T00:00:00Z\n', 1, /no column "expiry"/],
    [
      'names a column like a built-in object property',
      'value,constructor,__proto__\nABC,1,2\n',
      1,
      /no column "constructor"/,
    ],
    ['has a row with too few cells', 'value,limitval\nABC\n', 2, /has 1 cells/],
    ['has a row with too many cells', 'value\nABC,1\n', 2, /has 2 cells/],
    ['has a code that is too short', 'value\nAB\n', 2, /3 to 100/],
    ['has a code that is too long', `value\n${'🎁'.repeat(101)}\n`, 2, /3 to 100/],
    ['has an empty code', 'value,limitval\n,1\n', 2, /value must not be empty/],
    ['has only an empty code in quotes', 'value\n""\n', 2, /value must not be empty/],
    ['has a NUL in a code', 'value\nA\0BC\n', 2, /NUL/],
    ['has a date that does not exist', 'value,expirydate\nABC,2027-02-30T00:00:00Z\n', 2, /expirydate must be/],
    ['has a date without a time', 'value,startdate\nABC,2027-02-03\n', 2, /startdate must be/],
    ['has a time without its offset', 'value,startdate\nABC,2027-02-03T00:00:00\n', 2, /startdate must be/],
    [
      'has an end before the start',
      'value,startdate,expirydate\nABC,2027-02-03T00:00:00Z,2027-02-03T00:00:00Z\n',
      2,
      /expirydate must be after startdate/,
    ],
    ['has a negative limit', 'value,limitval\nABC,-1\n', 2, /limitval must be a whole number/],
    ['has a limit with decimals', 'value,limitval\nABC,1.5\n', 2, /limitval must be a whole number/],
    ['has a limit above the maximum', 'value,limitval\nABC,2147483648\n', 2, /limitval must be a whole number/],
    ['has a discount that is not a number', 'value,discountlimit\nABC,ten\n', 2, /discountlimit must be a decimal/],
    ['has a negative discount', 'value,discountlimit\nABC,-0.5\n', 2, /discountlimit must be a decimal/],
    ['has a number that loses precision', 'value,attributes\nABC,"{""id"":9007199254740993}"\n', 2, /exactly/],
    ['has a discount above the maximum', 'value,discountlimit\nABC,1e16\n', 2, /discountlimit must be a decimal/],
    ['has attributes that are not JSON', 'value,attributes\nABC,{a}\n', 2, /attributes must be a JSON object/],
    ['has attributes that are a list', 'value,attributes\nABC,[]\n', 2, /attributes must be a JSON object/],
    ['has attributes with a NUL', 'value,attributes\nABC,"{""a"":""\\u0000""}"\n', 2, /attributes at \/a must not/],
    ['has attributes named __proto__', 'value,attributes\nABC,"{""__proto__"":1}"\n', 2, /unusable name/],
    ['has attributes that are too long', `value,attributes\nABC,"{""a"":""${'x'.repeat(10_000)}""}"\n`, 2, /10000/],
    ['has a quote that is never closed', 'value\nABC\n"DEF\nGHI\n', 3, /never closed/],
    ['has a quote that ends too early', 'value\n"A"BC\n', 2, /ends in the middle/],
    ['has a quote that begins too late', 'value\nABC\nA"BC"\n', 3, /in the middle/],
    ['has a row that is too long', `value\nABC\n"${'x\n'.repeat(100_000)}"\n`, 3, /longer than/],
  ])('is refused if it %s', async (_what, file, line, detail) => {
    expect(await faultsOf(file)).toContainEqual({ line, detail: expect.stringMatching(detail) as string });
  });

  it('is refused at the line that is not UTF-8, with chunks of any size', async () => {
    const file = Buffer.concat([
      Buffer.from('value\nÄÖÜ\n优惠券\n'),
      Buffer.from('GRÜN', 'latin1'),
      Buffer.from('\nABC\n'),
    ]);
    for (const size of [1, 2, 3, 5, 1 << 16]) {
      expect((await read(file, size)).faults).toEqual([{ line: 4, detail: 'is not UTF-8' }]);
    }
    expect(await faultsOf(Buffer.concat([Buffer.from('value\nABC\n'), Buffer.from([0xf0, 0x9f])]))).toEqual([
      { line: 3, detail: 'is not UTF-8' },
    ]);
  });

  it('is accepted if it is valid UTF-8, with chunks of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme-composite', minLength: 3, maxLength: 20 }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.integer({ min: 1, max: 9 }),
        async (codes, size) => {
          fc.pre(codes.every((code) => !code.includes('\0')));
          const file = `value\n${codes.map((code) => `"${code.replaceAll('"', '""')}"`).join('\n')}\n`;
          const { coupons, faults } = await read(file, size);
          fc.pre(faults.length === 0);
          expect(coupons).toHaveLength(codes.length);
        },
      ),
    );
  });

  it('has at most a hundred faults listed, with all faults of a row', async () => {
    expect(await faultsOf(`value\n${'x\n'.repeat(500)}`)).toHaveLength(100);
    expect(await faultsOf(','.repeat(131_071))).toHaveLength(100);
    expect(await faultsOf('value,limitval,discountlimit\nAB,x,y\n')).toHaveLength(3);
  });

  it('may be an export from Talon.One, which has more columns', async () => {
    const { coupons, faults } = await read('accountid,value,discount_limitval,deleted\n1,ABC,2.5,false\n');
    expect([faults, coupons]).toEqual([[], [{ ...DEFAULT_TERMS, value: 'ABC', discountLimit: 2.5 }]]);
  });

  it('with only a header has no coupons and no faults', async () => {
    expect(await read('value,limitval\n')).toEqual({ coupons: [], lines: [], faults: [] });
  });
});
