import { isUtf8 } from 'node:buffer';
import { type Fault, FAULTS_MAX } from '../http/problem.js';
import { type Header, readHeader, readRow } from './coupon-cells.js';
import { CsvFault, type CsvRow, CsvRows } from './csv-rows.js';
import type { NewCoupon } from './new-coupon.js';

/** Longest row, in characters; a longer one is most likely a quote that is never closed. */
const ROW_LENGTH_MAX = 128 * 1024;
const LF = 0x0a;

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
 * @param onCoupon called with each coupon until the first fault; where it answers with a promise, that is awaited
 */
export async function readCouponFile(
  file: AsyncIterable<Buffer>,
  onCoupon: (found: CouponOfFile) => Promise<void> | void,
): Promise<Fault[]> {
  const csv = new CsvRows(ROW_LENGTH_MAX);
  const coupons = new CouponRows();
  const pass = async (rows: Iterable<CsvRow>): Promise<void> => {
    for (const row of rows) {
      const found = coupons.read(row);
      const pending = found && onCoupon(found);
      if (pending) {
        await pending;
      }
      if (coupons.hopeless) {
        return;
      }
    }
  };
  try {
    for await (const bytes of refuseOtherThanUtf8(file)) {
      await pass(csv.read(bytes.toString('utf8')));
      if (coupons.hopeless) {
        break;
      }
    }
    if (!coupons.hopeless) {
      await pass(csv.end());
    }
  } catch (error) {
    if (!(error instanceof CsvFault)) {
      throw error;
    }
    coupons.faults.push({ line: error.line, detail: error.detail });
  }
  return coupons.end();
}

/** Makes coupons and faults of the rows of a file. */
class CouponRows {
  readonly faults: Fault[] = [];
  private header: Header | undefined;

  /** Whether there is no point in reading on. */
  get hopeless(): boolean {
    return this.faults.length >= FAULTS_MAX || this.header?.includes('value') === false;
  }

  /** The coupon of a row, if it is one and nothing was wrong so far. */
  read({ line, cells }: CsvRow): CouponOfFile | undefined {
    if (!this.header) {
      const { header, faults } = readHeader(cells);
      this.header = header;
      this.add(line, faults);
      return undefined;
    }
    const coupon = readRow(this.header, cells);
    if (Array.isArray(coupon)) {
      this.add(line, coupon);
      return undefined;
    }
    return this.faults.length === 0 ? { coupon, line } : undefined;
  }

  /** Everything that is wrong. */
  end(): Fault[] {
    if (!this.header && this.faults.length === 0) {
      this.add(1, ['the file is empty: its first line must name the columns']);
    }
    return this.faults.slice(0, FAULTS_MAX);
  }

  private add(line: number, details: string[]): void {
    this.faults.push(...details.map((detail) => ({ line, detail })));
  }
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
      throw new CsvFault(line, 'is not UTF-8');
    }
    start = at + 1;
    line += 1;
  }
  if (!valid) {
    throw new CsvFault(line, 'is not UTF-8');
  }
  return line;
}
