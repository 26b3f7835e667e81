import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../../problems/problem.js';
import { type CouponTerms, DEFAULT_TERMS, type NewCoupon } from '../coupons/new-coupon.js';

/** How many characters are collected before they are written. */
const WRITE_LENGTH = 64 * 1024;
const READ_BYTES = 64 * 1024;
const LF = 0x0a;

/** A coupon of an uploaded file, with its line. */
export interface SpooledCoupon extends NewCoupon {
  line: number;
}

/** The order of fields in a row of the spool, after line and code. Default values at the end of a row are omitted. */
const TERMS = [
  'expiryDate',
  'usageLimit',
  'startDate',
  'attributes',
  'recipientIntegrationId',
  'discountLimit',
  'reservationLimit',
  'isReservationMandatory',
] as const satisfies (keyof CouponTerms)[];

type Row = [line: number, value: string, ...terms: CouponTerms[keyof CouponTerms][]];

/**
 * Keeps the coupons of an upload in a temporary file until they are written to the database. The file is unlinked as
 * soon as it is created, so that it disappears with the process, however the process ends.
 */
export class CouponSpool {
  private text = '';
  private written = 0;
  private coupons = 0;

  private constructor(private readonly file: FileHandle) {}

  /** Creates an empty spool in the system's folder for temporary files. */
  static async create(): Promise<CouponSpool> {
    const path = join(tmpdir(), `latchkey-upload-${process.pid}-${randomUUID()}`);
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return new CouponSpool(file);
  }

  /** The number of coupons in the spool. */
  get size(): number {
    return this.coupons;
  }

  /** Appends a coupon. Throws `storage-full`. */
  async append(coupon: NewCoupon, line: number): Promise<void> {
    this.text += `${JSON.stringify(toRow(coupon, line))}\n`;
    this.coupons += 1;
    if (this.text.length >= WRITE_LENGTH) {
      await this.flush();
    }
  }

  /** Finishes writing. Throws `storage-full`. */
  async flush(): Promise<void> {
    const bytes = Buffer.from(this.text);
    this.text = '';
    try {
      await this.file.appendFile(bytes);
    } catch (error) {
      throw new Problem('storage-full', 'There is no room for the uploaded file.', {}, { cause: error });
    }
    this.written += bytes.length;
  }

  /** Returns all coupons in order, in batches with a maximum number of coupons and an approximate maximum of bytes. */
  async *batches({ size, bytes }: { size: number; bytes: number }): AsyncGenerator<SpooledCoupon[]> {
    let batch: SpooledCoupon[] = [];
    let batchBytes = 0;
    for await (const line of this.lines()) {
      batch.push(fromRow(JSON.parse(line.toString()) as Row));
      batchBytes += line.length;
      if (batch.length === size || batchBytes >= bytes) {
        yield batch;
        batch = [];
        batchBytes = 0;
      }
    }
    if (batch.length > 0) {
      yield batch;
    }
  }

  /** Closes the file, which frees the disk space. */
  async close(): Promise<void> {
    await this.file.close();
  }

  private async *lines(): AsyncGenerator<Buffer> {
    let rest: Buffer = Buffer.alloc(0);
    for (let position = 0; position < this.written;) {
      const chunk = Buffer.allocUnsafe(READ_BYTES);
      const { bytesRead } = await this.file.read(chunk, 0, READ_BYTES, position);
      if (bytesRead === 0) {
        throw new Error('the temporary file is shorter than what was written to it');
      }
      position += bytesRead;
      const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      let start = 0;
      for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, start)) {
        yield bytes.subarray(start, at);
        start = at + 1;
      }
      rest = bytes.subarray(start);
    }
  }
}

function toRow(coupon: NewCoupon, line: number): Row {
  const last = TERMS.findLastIndex((term) => coupon[term] !== DEFAULT_TERMS[term]);
  return [line, coupon.value, ...TERMS.slice(0, last + 1).map((term) => coupon[term])];
}

function fromRow([line, value, ...terms]: Row): SpooledCoupon {
  return { line, value, ...DEFAULT_TERMS, ...Object.fromEntries(terms.map((term, place) => [TERMS[place], term])) };
}
