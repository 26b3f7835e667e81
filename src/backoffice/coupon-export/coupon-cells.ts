import { toRfc3339 } from '../../database/times.js';
import { findUnsafeInteger } from '../../input/unsafe-integers.js';
import { lengthOf } from '../../input/fields/length.js';
import { Problem } from '../../problems/problem.js';
import { parseRfc3339 } from '../../input/fields/rfc3339.js';
import { isCleanText, refuseUnstorable } from '../../input/storable.js';
import { guard, unguard } from './formula-guard.js';
import {
  ATTRIBUTES_LENGTH_MAX,
  COUNT_LIMIT_MAX,
  DEFAULT_TERMS,
  DISCOUNT_LIMIT_MAX,
  type NewCoupon,
  RECIPIENT_LENGTH_MAX,
  VALUE_LENGTH_MAX,
  VALUE_LENGTH_MIN,
} from '../coupons/new-coupon.js';

/** The fault of a cell. */
class CellFault extends Error {}

const DECIMAL = /^\d{1,16}(\.\d+)?([eE][+-]?\d{1,3})?$/;

/** Parses and formats the cells of each column that sets a field of a coupon. Empty cells are not parsed. */
const COLUMNS = {
  value: {
    read: (cell: string) => readText(cell, VALUE_LENGTH_MIN, VALUE_LENGTH_MAX),
    write: (coupon: NewCoupon) => guard(coupon.value),
    field: 'value',
  },
  expirydate: { read: readTime, write: (coupon: NewCoupon) => writeTime(coupon.expiryDate), field: 'expiryDate' },
  startdate: { read: readTime, write: (coupon: NewCoupon) => writeTime(coupon.startDate), field: 'startDate' },
  recipientintegrationid: {
    read: (cell: string) => readText(cell, 1, RECIPIENT_LENGTH_MAX),
    write: (coupon: NewCoupon) => guard(coupon.recipientIntegrationId ?? ''),
    field: 'recipientIntegrationId',
  },
  limitval: { read: readCount, write: (coupon: NewCoupon) => String(coupon.usageLimit), field: 'usageLimit' },
  discountlimit: {
    read: readDecimal,
    write: (coupon: NewCoupon) => String(coupon.discountLimit ?? ''),
    field: 'discountLimit',
  },
  attributes: {
    read: readAttributes,
    write: (coupon: NewCoupon) => (coupon.attributes === '{}' ? '' : guard(coupon.attributes)),
    field: 'attributes',
  },
  reservation_limitval: {
    read: readCount,
    write: (coupon: NewCoupon) => String(coupon.reservationLimit ?? ''),
    field: 'reservationLimit',
  },
  is_reservation_mandatory: {
    read: readFlag,
    write: (coupon: NewCoupon) => String(coupon.isReservationMandatory),
    field: 'isReservationMandatory',
  },
} as const satisfies Record<
  string,
  {
    read: (cell: string) => NewCoupon[keyof NewCoupon];
    write: (coupon: NewCoupon) => string;
    field: keyof NewCoupon;
  }
>;

type Column = keyof typeof COLUMNS;

/** The columns of an import, in the order of an export. */
export const COUPON_COLUMNS = Object.keys(COLUMNS) as Column[];

/** Other names of columns. */
const ALIASES: ReadonlyMap<string, Column> = new Map([['discount_limitval', 'discountlimit']]);

/** Columns that our exports or those of Talon.One have, and that set nothing for a new coupon. */
const PASSED_OVER = new Set([
  'id',
  'created',
  'campaignid',
  'batchid',
  'counter',
  'accountid',
  'applicationid',
  'deleted',
  'deleted_changelogid',
  'discount_counter',
  'importid',
  'limits',
  'referralid',
  'reservation',
  'reservation_counter',
]);

/** The column of each cell of a row; undefined for a cell that is ignored. */
export type Header = readonly (Column | undefined)[];

/** Parses the first row of a file. The columns may be in any order, and must include `value`. */
export function readHeader(cells: readonly string[]): { header: Header; faults: string[] } {
  const faults: string[] = [];
  const seen = new Set<Column>();
  const header = cells.map((cell) => {
    const name = cell.trim().toLowerCase();
    const column = ALIASES.get(name) ?? (Object.hasOwn(COLUMNS, name) ? (name as Column) : undefined);
    if (column === undefined) {
      if (!PASSED_OVER.has(name)) {
        faults.push(`there is no column ${shorten(cell)}: the columns are ${COUPON_COLUMNS.join(', ')}`);
      }
      return undefined;
    }
    if (seen.has(column)) {
      faults.push(`the column ${column} is there twice`);
    }
    seen.add(column);
    return column;
  });
  if (!seen.has('value')) {
    faults.push('the column value is missing');
  }
  return { header, faults };
}

/** Parses a row. Returns a coupon, or all its faults. */
export function readRow(header: Header, cells: readonly string[]): NewCoupon | string[] {
  if (cells.length !== header.length) {
    return [`has ${cells.length} cells, and the first line has ${header.length}`];
  }
  const coupon: NewCoupon = { value: '', ...DEFAULT_TERMS };
  const faults: string[] = [];
  header.forEach((column, place) => {
    const cell = cells[place]!;
    if (column === undefined || cell === '') {
      return;
    }
    const { field, read } = COLUMNS[column];
    try {
      Object.assign(coupon, { [field]: read(unguard(cell)) });
    } catch (error) {
      if (!(error instanceof CellFault)) {
        throw error;
      }
      faults.push(`${column} ${error.message}`);
    }
  });
  if (cells[header.indexOf('value')] === '') {
    faults.push('value must not be empty');
  }
  if (coupon.startDate !== null && coupon.expiryDate !== null && coupon.startDate >= coupon.expiryDate) {
    faults.push('expirydate must be after startdate');
  }
  return faults.length === 0 ? coupon : faults;
}

/** Returns the cells of a coupon, in the order of `COUPON_COLUMNS`. An import of them gives the same coupon. */
export function writeRow(coupon: NewCoupon): string[] {
  return COUPON_COLUMNS.map((column) => COLUMNS[column].write(coupon));
}

/** Shortens a text for a message, and keeps it on one line. */
function shorten(text: string): string {
  const characters = Array.from(text, (character) => (/\p{Cc}/u.test(character) ? ' ' : character));
  return characters.length > 40 ? `"${characters.slice(0, 40).join('')}..."` : `"${characters.join('')}"`;
}

function readText(cell: string, lengthMin: number, lengthMax: number): string {
  if (!isCleanText(cell)) {
    throw new CellFault('must not contain NUL');
  }
  const length = lengthOf(cell);
  if (length < lengthMin || length > lengthMax) {
    throw new CellFault(`must have ${lengthMin} to ${lengthMax} characters`);
  }
  return cell;
}

/** Caches recently parsed times, because most rows of a file have the same times. */
const TIMES = new Map<string, number>();
const TIMES_MAX = 100;

function readTime(cell: string): number {
  const known = TIMES.get(cell);
  if (known !== undefined) {
    return known;
  }
  const time = parseRfc3339(cell.trim());
  if (time === undefined) {
    throw new CellFault('must be an RFC 3339 date-time such as 2027-06-30T22:00:00Z');
  }
  if (TIMES.size >= TIMES_MAX) {
    TIMES.clear();
  }
  // Copies the cell, because a substring would keep the whole text in memory.
  TIMES.set(Buffer.from(cell).toString(), time);
  return time;
}

function writeTime(time: number | null): string {
  return time === null ? '' : toRfc3339(time);
}

function readCount(cell: string): number {
  const text = cell.trim();
  if (!/^\d{1,10}$/.test(text) || Number(text) > COUNT_LIMIT_MAX) {
    throw new CellFault(`must be a whole number from 0 to ${COUNT_LIMIT_MAX}`);
  }
  return Number(text);
}

function readDecimal(cell: string): number {
  const text = cell.trim();
  if (!DECIMAL.test(text) || Number(text) > DISCOUNT_LIMIT_MAX) {
    throw new CellFault(`must be a decimal number from 0 to ${DISCOUNT_LIMIT_MAX}`);
  }
  return Number(text);
}

function readFlag(cell: string): boolean {
  switch (cell.trim().toLowerCase()) {
    case 'true':
      return true;
    case 'false':
      return false;
    default:
      throw new CellFault('must be true or false');
  }
}

function readAttributes(cell: string): string {
  let attributes: unknown;
  try {
    attributes = JSON.parse(cell);
  } catch (error) {
    throw new CellFault('must be a JSON object', { cause: error });
  }
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
    throw new CellFault('must be a JSON object');
  }
  const rounded = findUnsafeInteger(cell);
  if (rounded !== undefined) {
    throw new CellFault(`has the number ${rounded}, which cannot be kept exactly: write it as text`);
  }
  try {
    refuseUnstorable(attributes);
  } catch (error) {
    if (!(error instanceof Problem)) {
      throw error;
    }
    const fault = error.extensions.errors?.[0];
    throw new CellFault(`${fault?.pointer ? `at ${fault.pointer} ` : ''}${fault?.detail ?? 'cannot be stored'}`, {
      cause: error,
    });
  }
  const text = JSON.stringify(attributes);
  if (text.length > ATTRIBUTES_LENGTH_MAX) {
    throw new CellFault(`must not have more than ${ATTRIBUTES_LENGTH_MAX} characters`);
  }
  return text;
}
