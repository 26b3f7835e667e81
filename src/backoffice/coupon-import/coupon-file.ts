import { isUtf8 } from 'node:buffer';
import { CsvError, parse, type Parser } from 'csv-parse';
import { type Fault, FAULTS_MAX } from '../../problems/problem.js';
import { type Header, readHeader, readRow } from '../coupon-export/coupon-cells.js';
import type { NewCoupon } from '../coupons/new-coupon.js';

/** The longest row, in bytes. A longer row is most likely a quote that is never closed. */
const ROW_BYTES_MAX = 128 * 1024;
const LF = 0x0a;

/** The parser's messages about text that is not CSV, in words for the author of the file. */
const SYNTAX_FAULTS = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened here and never closed',
  CSV_INVALID_CLOSING_QUOTE: 'a quote ends in the middle of a cell: quotes inside a cell are written twice',
  INVALID_OPENING_QUOTE:
    'a quote is in the middle of a cell: such a cell is put in quotes, and quotes inside it are written twice',
  CSV_MAX_RECORD_SIZE: `the row is longer than ${ROW_BYTES_MAX} bytes: perhaps a quote is never closed`,
} as const;

/** The line from which the file cannot be parsed any more. */
class UnreadableLine extends Error {
  constructor(
    readonly line: number,
    readonly detail: string,
  ) {
    super(detail);
  }
}

/** A coupon and the line where its row starts, counted from 1. */
export interface CouponOfFile {
  coupon: NewCoupon;
  line: number;
}

/**
 * Parses a file of coupons while it arrives: CSV as in RFC 4180, UTF-8 with or without a byte-order mark, lines ending
 * with LF, CRLF or CR, column names in the first line. It keeps only the latest chunk in memory. Returns up to a
 * hundred faults, each with its line as a text editor counts it.
 *
 * @param onCoupon called with each coupon until the first fault; a returned promise is awaited
 */
export async function readCouponFile(
  file: AsyncIterable<Buffer>,
  onCoupon: (found: CouponOfFile) => Promise<void> | void,
): Promise<Fault[]> {
  const rows = new CouponRows();
  const csv = parse({
    bom: true,
    max_record_size: ROW_BYTES_MAX,
    on_record: (cells: string[], { empty_lines }) => {
      rows.add(cells, empty_lines);
      return null;
    },
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
  });
  // Errors are also reported by `write` and `end`.
  csv.on('error', () => undefined);
  const passOn = async (): Promise<void> => {
    for (const found of rows.takeCoupons()) {
      const pending = onCoupon(found);
      if (pending) {
        await pending;
      }
    }
  };
  try {
    for await (const bytes of refuseOtherThanUtf8(file)) {
      await write(csv, bytes);
      await passOn();
      if (rows.hopeless) {
        return rows.end();
      }
    }
    await end(csv);
    await passOn();
  } catch (error) {
    rows.addUnreadable(error);
  }
  return rows.end();
}

/** Parses a part of a file. */
function write(csv: Parser, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    csv.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

/** Parses the rest of a file. */
function end(csv: Parser): Promise<void> {
  return new Promise((resolve, reject) => {
    csv.once('error', reject);
    csv.end(resolve);
  });
}

/**
 * Converts the rows of a file to coupons and faults. The parser itself keeps no rows, so that it never waits for a
 * reader.
 */
class CouponRows {
  private readonly faults: Fault[] = [];
  private header: Header | undefined;
  private coupons: CouponOfFile[] = [];
  /** Lines of all rows so far, without empty lines. */
  private lines = 0;

  /** Whether further parsing is pointless. */
  get hopeless(): boolean {
    return this.faults.length >= FAULTS_MAX || this.header?.includes('value') === false;
  }

  /**
   * Adds the next row.
   *
   * @param emptyLines how many empty lines there were before it in total
   */
  add(cells: string[], emptyLines: number): void {
    const line = this.lineAfter(emptyLines);
    this.lines += 1 + cells.reduce((sum, cell) => sum + countLineFeeds(cell), 0);
    if (!this.header) {
      const { header, faults } = readHeader(cells);
      this.header = header;
      this.addFaults(line, faults);
      return;
    }
    if (this.hopeless) {
      return;
    }
    const coupon = readRow(this.header, cells);
    if (Array.isArray(coupon)) {
      this.addFaults(line, coupon);
    } else if (this.faults.length === 0) {
      this.coupons.push({ coupon, line });
    }
  }

  /** Adds the error that ended parsing, if it is a fault of the file. Throws any other error. */
  addUnreadable(error: unknown): void {
    if (error instanceof UnreadableLine) {
      this.addFaults(error.line, [error.detail]);
    } else if (error instanceof CsvError && error.code in SYNTAX_FAULTS) {
      const detail = SYNTAX_FAULTS[error.code as keyof typeof SYNTAX_FAULTS];
      this.addFaults(this.lineAfter(Number(error.empty_lines)), [detail]);
    } else {
      throw error;
    }
  }

  /** Returns the coupons since the last call. */
  takeCoupons(): CouponOfFile[] {
    const { coupons } = this;
    this.coupons = [];
    return coupons;
  }

  /** Returns all faults. */
  end(): Fault[] {
    if (!this.header && this.faults.length === 0) {
      this.addFaults(1, ['the file is empty: its first line must name the columns']);
    }
    return this.faults;
  }

  private lineAfter(emptyLines: number): number {
    return this.lines + emptyLines + 1;
  }

  private addFaults(line: number, details: string[]): void {
    const room = Math.max(0, FAULTS_MAX - this.faults.length);
    this.faults.push(...details.slice(0, room).map((detail) => ({ line, detail })));
  }
}

/** Counts line feeds, because the parser counts a CRLF inside a cell as two lines. */
function countLineFeeds(cell: string): number {
  let count = 0;
  for (let at = cell.indexOf('\n'); at !== -1; at = cell.indexOf('\n', at + 1)) {
    count += 1;
  }
  return count;
}

/** Passes bytes on, split between characters. Decoding anything other than UTF-8 would silently change codes. */
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

/** Returns where the last whole character ends. Up to three bytes after it belong to an incomplete character. */
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

/** Throws on the first line that is not UTF-8. Returns the number of the line after these bytes. */
function checkUtf8(bytes: Buffer, firstLine: number): number {
  const valid = isUtf8(bytes);
  let line = firstLine;
  let start = 0;
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, start)) {
    if (!valid && !isUtf8(bytes.subarray(start, at))) {
      throw new UnreadableLine(line, 'is not UTF-8');
    }
    start = at + 1;
    line += 1;
  }
  if (!valid) {
    throw new UnreadableLine(line, 'is not UTF-8');
  }
  return line;
}
