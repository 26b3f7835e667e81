import { type Engine, engineIn } from '../../database/data-source.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import type { Scan } from '../../database/reading/scan-turns.js';
import type { CouponSelection } from './coupon-selection.js';
import type { Coupon } from './coupon.entity.js';

/** Ids among which the first statement looks: enough for most pages, few enough to cost nothing. */
const FIRST_WINDOW = 1000;
/** SQLite answers within the process, which does nothing else meanwhile: there windows stay small. */
const LARGEST_WINDOW: Record<Engine, number> = { sqlite: 4000, mysql: 64_000 };

/** Where coupons are read, and the turns in which that may be done. */
export interface CouponSource {
  coupons: ReadRepository<Coupon>;
  scan: Scan;
}

/** A statement with its parameters. */
export interface Reading {
  sql: string;
  parameters: (string | number)[];
}

/** Ids from the first one that is looked at to the last one; that is the smaller one if the walk descends. */
export interface Window {
  first: number;
  last: number;
}

/** In which order ids are walked through. */
export type Direction = 'ascending' | 'descending';

/**
 * The statements of a walk, in the words of an engine. The index is named in them: left alone, MySQL sometimes takes the
 * primary key and looks at every coupon of every Application, because the order is the same.
 */
export class CouponStatements {
  private readonly from: string;
  private readonly order: string;
  private readonly behind: string;

  constructor(
    engine: Engine,
    private readonly selection: CouponSelection,
    direction: Direction,
  ) {
    const hint = engine === 'mysql' ? `FORCE INDEX (${selection.index})` : `INDEXED BY ${selection.index}`;
    this.from = `FROM coupons ${hint} WHERE ${selection.along.sql}`;
    this.order = `ORDER BY id ${direction === 'ascending' ? 'ASC' : 'DESC'}`;
    this.behind = direction === 'ascending' ? 'id > ?' : 'id < ?';
  }

  /** The id that comes next behind one; none if that was the last. */
  next(last: number): Reading {
    return {
      sql: `SELECT id AS id ${this.from} AND ${this.behind} ${this.order} LIMIT 1`,
      parameters: [...this.selection.along.parameters, last],
    };
  }

  /** Ids of what fits in a window, in order; of a part of it, if that is asked for. */
  ids(window: Window, part?: { skip: number; take: number }): Reading {
    const { sql, parameters } = this.fitting(window);
    return {
      sql: `SELECT id AS id ${sql} ${this.order}${part ? ' LIMIT ? OFFSET ?' : ''}`,
      parameters: [...parameters, ...(part ? [part.take, part.skip] : [])],
    };
  }

  /** How many fit in a window. */
  count(window: Window): Reading {
    const { sql, parameters } = this.fitting(window);
    return { sql: `SELECT COUNT(*) AS amount ${sql}`, parameters };
  }

  private fitting({ first, last }: Window): Reading {
    const { along, besides } = this.selection;
    return {
      sql: `${this.from} AND id BETWEEN ? AND ?${besides ? ` AND ${besides.sql}` : ''}`,
      parameters: [...along.parameters, Math.min(first, last), Math.max(first, last), ...(besides?.parameters ?? [])],
    };
  }
}

/** What ids are behind when a walk begins. */
const BEGIN = { ascending: 0, descending: Number.MAX_SAFE_INTEGER };

/**
 * Walks through the ids of selected coupons, some at a time. However rare coupons are that fit, no statement looks at more
 * than some thousands, and each waits for its turn.
 */
export async function* walkCoupons(
  source: CouponSource,
  selection: CouponSelection,
  direction: Direction = 'ascending',
): AsyncGenerator<number[]> {
  const statements = new CouponStatements(engineOf(source), selection, direction);
  for await (const window of windows(source, statements, direction)) {
    const ids = await readIds(source, statements.ids(window));
    if (ids.length > 0) {
      yield ids;
    }
  }
}

/** The ids of one page of selected coupons. What is passed over is only counted, and not all at once. */
export async function findPage(
  source: CouponSource,
  selection: CouponSelection,
  { skip, take, direction }: { skip: number; take: number; direction: Direction },
): Promise<number[]> {
  const statements = new CouponStatements(engineOf(source), selection, direction);
  const found: number[] = [];
  let passOver = skip;
  for await (const window of windows(source, statements, direction)) {
    const amount = passOver > 0 ? await readAmount(source, statements.count(window)) : Infinity;
    if (amount <= passOver) {
      passOver -= amount;
      continue;
    }
    found.push(...(await readIds(source, statements.ids(window, { skip: passOver, take: take - found.length }))));
    passOver = 0;
    if (found.length >= take) {
      break;
    }
  }
  return found;
}

/** The windows of ids that a walk looks through, beginning small for those who soon have what they want. */
async function* windows(
  source: CouponSource,
  statements: CouponStatements,
  direction: Direction,
): AsyncGenerator<Window> {
  const largest = LARGEST_WINDOW[engineOf(source)];
  let last = BEGIN[direction];
  for (let size = FIRST_WINDOW; ; size = Math.min(size * 2, largest)) {
    const [first] = await readIds(source, statements.next(last));
    if (first === undefined) {
      return;
    }
    last = direction === 'ascending' ? first + size - 1 : first - size + 1;
    yield { first, last };
  }
}

function engineOf({ coupons }: CouponSource): Engine {
  return engineIn(coupons.createQueryBuilder());
}

async function readIds({ coupons, scan }: CouponSource, { sql, parameters }: Reading): Promise<number[]> {
  const rows = (await scan.inTurn(() => coupons.query(sql, parameters))) as { id: number }[];
  return rows.map((row) => row.id);
}

async function readAmount({ coupons, scan }: CouponSource, { sql, parameters }: Reading): Promise<number> {
  const [row] = (await scan.inTurn(() => coupons.query(sql, parameters))) as { amount: number | string }[];
  return Number(row!.amount);
}
