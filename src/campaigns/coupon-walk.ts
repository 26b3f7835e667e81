import { setImmediate as eventLoop } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { type Engine, engineIn } from '../database/data-source.js';
import type { ReadRepository } from '../database/read-repository.js';
import type { CouponSelection } from './coupon-selection.js';
import type { Coupon } from './coupon.entity.js';

/** Ids among which the first statement looks: enough for most pages, few enough to cost nothing. */
const FIRST_WINDOW = 1000;
/** SQLite answers within the process, which does nothing else meanwhile: there windows stay small. */
const LARGEST_WINDOW: Record<Engine, number> = { sqlite: 8000, mysql: 64_000 };

/** Where coupons are read: outside transactions, or in one. */
type Source = Pick<ReadRepository<Coupon>, 'query' | 'createQueryBuilder'>;

/** A statement with its parameters. */
export interface Reading {
  sql: string;
  parameters: (string | number)[];
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

  /** Ids of a part of everything along the index, for selections with nothing besides. */
  page(skip: number, take: number): Reading {
    return {
      sql: `SELECT id AS id ${this.from} ${this.order} LIMIT ? OFFSET ?`,
      parameters: [...this.selection.along.parameters, take, skip],
    };
  }

  /** The id that comes next behind one; none if that was the last. */
  next(last: number): Reading {
    return {
      sql: `SELECT id AS id ${this.from} AND ${this.behind} ${this.order} LIMIT 1`,
      parameters: [...this.selection.along.parameters, last],
    };
  }

  /** Ids of what fits from one id to another. */
  window(first: number, end: number): Reading {
    const { along, besides } = this.selection;
    const [low, high] = first < end ? [first, end] : [end, first];
    return {
      sql: `SELECT id AS id ${this.from} AND id BETWEEN ? AND ?${besides ? ` AND ${besides.sql}` : ''} ${this.order}`,
      parameters: [...along.parameters, low, high, ...(besides?.parameters ?? [])],
    };
  }
}

/** What ids are behind when a walk begins. */
const BEGIN = { ascending: 0, descending: Number.MAX_SAFE_INTEGER };

/**
 * Walks through the ids of selected coupons, a window of ids at a time. However rare coupons are that fit, no statement
 * looks at more than some thousands, and between statements the process goes on answering others.
 */
export async function* walkCoupons(
  source: Source | EntityManager,
  selection: CouponSelection,
  direction: Direction = 'ascending',
): AsyncGenerator<number[]> {
  const engine = engineOf(source);
  const statements = new CouponStatements(engine, selection, direction);
  let last = BEGIN[direction];
  for (let size = FIRST_WINDOW; ; size = Math.min(size * 2, LARGEST_WINDOW[engine])) {
    const [first] = await readIds(source, statements.next(last));
    if (first === undefined) {
      return;
    }
    last = direction === 'ascending' ? first + size - 1 : first - size + 1;
    const ids = await readIds(source, statements.window(first, last));
    if (ids.length > 0) {
      yield ids;
    }
    await eventLoop();
  }
}

/** The ids of one page of selected coupons. */
export async function findPage(
  source: Source,
  selection: CouponSelection,
  { skip, take, direction }: { skip: number; take: number; direction: Direction },
): Promise<number[]> {
  if (!selection.besides) {
    return readIds(source, new CouponStatements(engineOf(source), selection, direction).page(skip, take));
  }
  let found: number[] = [];
  let passed = 0;
  for await (const ids of walkCoupons(source, selection, direction)) {
    found = found.concat(ids.slice(Math.max(0, skip - passed)));
    passed += ids.length;
    if (found.length >= take) {
      break;
    }
  }
  return found.slice(0, take);
}

function engineOf(source: Source | EntityManager): Engine {
  return engineIn('dataSource' in source ? source : source.createQueryBuilder());
}

async function readIds(source: Source | EntityManager, { sql, parameters }: Reading): Promise<number[]> {
  const rows = (await source.query(sql, parameters)) as { id: number }[];
  return rows.map((row) => row.id);
}
