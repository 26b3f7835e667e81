import { type Engine, engineIn } from '../../database/data-source.js';
import type { ReadRepository } from '../../database/reading/read-repository.js';
import type { Scan } from '../../database/reading/scan-turns.js';
import type { CouponSelection } from './coupon-selection.js';
import type { Coupon } from './coupon.entity.js';

/** The size of the first window of ids: enough for most pages, and small enough to cost almost nothing. */
const FIRST_WINDOW = 1000;
/** SQLite runs within the process, which does nothing else meanwhile. Its windows therefore stay small. */
const LARGEST_WINDOW: Record<Engine, number> = { sqlite: 4000, mysql: 64_000 };

/** Where coupons are read, and the turns in which queries run. */
export interface CouponSource {
  coupons: ReadRepository<Coupon>;
  scan: Scan;
}

/** A query with its parameters. */
export interface Reading {
  sql: string;
  parameters: (string | number)[];
}

/** The first and the last id of a window. The last one is smaller if the walk descends. */
export interface Window {
  first: number;
  last: number;
}

/** The order of a walk. */
export type Direction = 'ascending' | 'descending';

/**
 * The queries of a walk, for one engine. They name the index. Otherwise MySQL sometimes uses the primary key because
 * its order is the same, and reads every coupon of every Application.
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

  /** Finds the next id after one; none if that was the last. */
  next(last: number): Reading {
    return {
      sql: `SELECT id AS id ${this.from} AND ${this.behind} ${this.order} LIMIT 1`,
      parameters: [...this.selection.along.parameters, last],
    };
  }

  /** Finds the ids of the matches in a window, in order, or of a part of them. */
  ids(window: Window, part?: { skip: number; take: number }): Reading {
    const { sql, parameters } = this.fitting(window);
    return {
      sql: `SELECT id AS id ${sql} ${this.order}${part ? ' LIMIT ? OFFSET ?' : ''}`,
      parameters: [...parameters, ...(part ? [part.take, part.skip] : [])],
    };
  }

  /** Counts the matches in a window. */
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

/** The id before the first one of a walk. */
const BEGIN = { ascending: 0, descending: Number.MAX_SAFE_INTEGER };

/**
 * Yields the ids of selected coupons in batches. However rare matches are, no query reads more than some thousands of
 * coupons, and each query waits for its turn.
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

/**
 * Returns the ids of one page of selected coupons. It counts skipped coupons window by window, without reading them.
 */
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

/** Yields the windows of ids of a walk. They start small, for callers that soon have enough. */
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
