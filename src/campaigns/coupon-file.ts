import { isUtf8 } from 'node:buffer';
import { pipeline } from 'node:stream/promises';
import { CsvError, type Options, parse } from 'csv-parse';
import { type Fault, FAULTS_MAX } from '../http/problem.js';
import { type Header, readHeader, readRow } from './coupon-cells.js';
import type { NewCoupon } from './new-coupon.js';

/** Largest row, in bytes; a longer one is most likely a quote that is never closed. */
const ROW_BYTES_MAX = 128 * 1024;
const LF = 0x0a;

/** What is wrong with a file from a line on, so that nothing behind it can be read. */
class FileFault extends Error {
  constructor(
    readonly line: number,
    readonly detail: string,
  ) {
    super(detail);
  }
}

/** A file has so many faults that there is no point in reading on. */
class EnoughFaults extends Error {}

/** A coupon and the line where its row begins, the first is 1. */
export interface CouponOfFile {
  coupon: NewCoupon;
  line: number;
}

/**
 * Reads a file of coupons as it comes: CSV as RFC 4180 has it, in UTF-8 with or without byte-order mark, lines ending with
 * LF or CRLF, the columns named in the first line. Keeps nothing but what has arrived of it last.
 * Answers with what is wrong, up to a hundred faults, each with its line as a text editor counts it.
 *
 * @param onCoupon called with each coupon until the first fault
 */
export async function readCouponFile(
  file: AsyncIterable<Buffer>,
  onCoupon: (found: CouponOfFile) => Promise<void> | void,
): Promise<Fault[]> {
  const rows = new RowReader();
  const options: Options<CouponOfFile, string[]> = {
    bom: true,
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    max_record_size: ROW_BYTES_MAX,
    on_record: (cells) => rows.read(cells),
  };
  // The library's types know of records that become something else only together with its own way of naming columns.
  const parser = parse(options as unknown as Options);
  try {
    await pipeline(file, refuseOtherThanUtf8, parser, async (coupons: AsyncIterable<CouponOfFile>) => {
      for await (const found of coupons) {
        await onCoupon(found);
      }
    });
  } catch (error) {
    if (error instanceof FileFault) {
      rows.faults.push({ line: error.line, detail: error.detail });
    } else if (error instanceof CsvError) {
      rows.faults.push({ line: rows.line, detail: describe(error) });
    } else if (!(error instanceof EnoughFaults)) {
      throw error;
    }
  }
  if (!rows.hasHeader && rows.faults.length === 0) {
    rows.faults.push({ line: 1, detail: 'the file is empty: its first line must name the columns' });
  }
  return rows.faults.slice(0, FAULTS_MAX);
}

/** Makes coupons and faults of the rows of a file, and counts its lines. */
class RowReader {
  readonly faults: Fault[] = [];
  /** Where the next row begins. */
  line = 1;
  private header: Header | undefined;

  get hasHeader(): boolean {
    return this.header !== undefined;
  }

  /** The coupon of a row, if it is one and nothing was wrong so far. Throws when more than enough is wrong. */
  read(cells: string[]): CouponOfFile | null {
    const { line } = this;
    this.line += 1 + cells.reduce((breaks, cell) => breaks + lineBreaks(cell), 0);
    if (cells.length === 1 && cells[0] === '') {
      return null;
    }
    if (!this.header) {
      const { header, faults } = readHeader(cells);
      this.header = header;
      this.add(line, faults);
      if (!header.includes('value')) {
        throw new EnoughFaults();
      }
      return null;
    }
    const coupon = readRow(this.header, cells);
    if (Array.isArray(coupon)) {
      this.add(line, coupon);
      return null;
    }
    return this.faults.length === 0 ? { coupon, line } : null;
  }

  private add(line: number, details: string[]): void {
    this.faults.push(...details.map((detail) => ({ line, detail })));
    if (this.faults.length >= FAULTS_MAX) {
      throw new EnoughFaults();
    }
  }
}

function lineBreaks(cell: string): number {
  let breaks = 0;
  for (let at = cell.indexOf('\n'); at !== -1; at = cell.indexOf('\n', at + 1)) {
    breaks += 1;
  }
  return breaks;
}

/** Passes bytes on, cut between characters. Decoding anything else than UTF-8 would change codes in silence. */
async function* refuseOtherThanUtf8(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = endOfCharacters(bytes);
    const whole = bytes.subarray(0, end);
    rest = bytes.subarray(end);
    line = checkUtf8(whole, line);
    yield whole;
  }
  checkUtf8(rest, line);
}

/** Where the last whole character ends: the bytes behind it, three at the most, need more to come. */
function endOfCharacters(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? bytes.length - back : bytes.length;
    }
    if (byte < 0x80) {
      break;
    }
  }
  return bytes.length;
}

/** Throws on the first line that is not UTF-8; answers with the line that comes after these bytes. */
function checkUtf8(bytes: Buffer, firstLine: number): number {
  const valid = isUtf8(bytes);
  let line = firstLine;
  let start = 0;
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, start)) {
    if (!valid && !isUtf8(bytes.subarray(start, at))) {
      throw new FileFault(line, 'is not UTF-8');
    }
    start = at + 1;
    line += 1;
  }
  if (!valid) {
    throw new FileFault(line, 'is not UTF-8');
  }
  return line;
}

function describe(error: CsvError): string {
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'a quote is opened here and never closed';
    case 'CSV_INVALID_CLOSING_QUOTE':
      return 'a quote ends in the middle of a cell: quotes inside a cell are written twice';
    case 'INVALID_OPENING_QUOTE':
      return 'a quote begins in the middle of a cell: such a cell is put in quotes, and quotes inside it are written twice';
    case 'CSV_MAX_RECORD_SIZE':
      return `the row is longer than ${ROW_BYTES_MAX} bytes: perhaps a quote is never closed`;
    default:
      return 'cannot be read as CSV';
  }
}
