import type { Engine } from '../database/data-source.js';
import { containing, fold } from '../database/fold.js';

/** Which changes to find, and in which order. */
export interface ChangeFilter {
  applicationId?: number;
  userId?: number;
  managementKeyId?: number;
  entityPath?: string;
  /** Milliseconds. Changes at exactly this time do not match. */
  createdAfter?: number;
  createdBefore?: number;
  /** Whether to find changes that are hidden from keys. */
  hidden: boolean;
  descending: boolean;
}

/** A query with its parameters. */
export interface Statement {
  sql: string;
  parameters: (number | string)[];
}

/** The position of a change in the log. */
export interface TrailPosition {
  created: number;
  id: number;
}

/** The leading columns of the indices. The first ones are likely to leave the fewest entries. */
const LEADS = [
  { field: 'managementKeyId', column: 'management_key_id', index: 'ix_changes_management_key_id' },
  { field: 'userId', column: 'user_id', index: 'ix_changes_user_id' },
  { field: 'applicationId', column: 'application_id', index: 'ix_changes_application_id' },
] as const;

/** Index entries in the first slice: enough for most pages, and few enough to cost almost nothing. */
const FIRST_SLICE = 1000;
/** SQLite runs within the process, which does nothing else meanwhile. Its slices therefore stay small. */
const LARGEST_SLICE: Record<Engine, number> = { sqlite: 4000, mysql: 64_000 };

/**
 * Finds changes without reading many of them at once. It walks the log in slices, in its order, along the index that
 * fits the filter best. A filter that no index supports, such as a part of a path, takes time that grows with the log.
 * But each query is short, and waits for its turn.
 */
export class ChangeSearch {
  constructor(
    private readonly engine: Engine,
    private readonly filter: ChangeFilter,
  ) {}

  /**
   * Returns the ids of one page of matches, and one more if there is one.
   *
   * @param query runs a query in its turn
   * @param count whether to count all matches as well
   */
  async page(
    query: (statement: Statement) => Promise<unknown[]>,
    { skip, pageSize, count }: { skip: number; pageSize: number; count: boolean },
  ): Promise<{ ids: number[]; total: number }> {
    const ids: number[] = [];
    let total = 0;
    let passOver = skip;
    let from: TrailPosition | undefined;
    for (let size = FIRST_SLICE; ; size = Math.min(size * 2, LARGEST_SLICE[this.engine])) {
      const [end] = (await query(this.boundary(from, size))) as RawPosition[];
      const to = end && { created: Number(end.created), id: end.id };
      let inSlice: number | undefined;
      if (count || passOver > 0) {
        const [row] = (await query(this.countMatches(from, to))) as { amount: number | string }[];
        inSlice = Number(row!.amount);
        total += inSlice;
      }
      const wanted = pageSize + 1 - ids.length;
      if (wanted > 0 && (inSlice === undefined || inSlice > passOver)) {
        const rows = (await query(this.matches(from, to, { wanted, passOver }))) as { id: number }[];
        ids.push(...rows.map((row) => row.id));
        passOver = 0;
      } else {
        passOver = Math.max(0, passOver - (inSlice ?? 0));
      }
      if (!to || (!count && ids.length > pageSize)) {
        return { ids, total };
      }
      from = to;
    }
  }

  /** Finds the last entry of a slice with this many index entries. Finds nothing if the log ends before. */
  boundary(from: TrailPosition | undefined, size: number): Statement {
    const { sql, parameters } = this.along(from, undefined);
    return { sql: `SELECT created, id ${sql} ${this.order()} LIMIT 1 OFFSET ${size - 1}`, parameters };
  }

  /** Counts the matches of a slice. */
  countMatches(from: TrailPosition | undefined, to: TrailPosition | undefined): Statement {
    const { sql, parameters } = this.matching(from, to);
    return { sql: `SELECT COUNT(*) AS amount ${sql}`, parameters };
  }

  /** Finds the matches of a slice. */
  matches(
    from: TrailPosition | undefined,
    to: TrailPosition | undefined,
    { wanted, passOver }: { wanted: number; passOver: number },
  ): Statement {
    const { sql, parameters } = this.matching(from, to);
    return { sql: `SELECT id ${sql} ${this.order()} LIMIT ${wanted} OFFSET ${passOver}`, parameters };
  }

  private order(): string {
    return this.filter.descending ? 'ORDER BY created DESC, id DESC' : 'ORDER BY created, id';
  }

  /** Selects entries along the index, after one position, up to and including another. */
  private along(from: TrailPosition | undefined, to: TrailPosition | undefined): Statement {
    const { createdAfter, createdBefore, descending } = this.filter;
    const lead = this.lead();
    const conditions: string[] = [];
    const parameters: (number | string)[] = [];
    const add = (condition: string, ...values: (number | string)[]): void => {
      conditions.push(condition);
      parameters.push(...values);
    };
    if (lead) {
      add(`${lead.column} = ?`, this.filter[lead.field]!);
    }
    if (createdAfter !== undefined) {
      add('created > ?', createdAfter);
    }
    if (createdBefore !== undefined) {
      add('created < ?', createdBefore);
    }
    if (from) {
      add(...this.beyond(descending ? '<' : '>', from, ''));
    }
    if (to) {
      add(...this.beyond(descending ? '>' : '<', to, '='));
    }
    const hint = this.indexHint(lead?.index ?? 'ix_changes_created');
    return { sql: `FROM changes ${hint} WHERE ${conditions.join(' AND ') || '1 = 1'}`, parameters };
  }

  /** Each engine uses its index for only one form of this condition. */
  private beyond(operator: '<' | '>', { created, id }: TrailPosition, equal: '' | '='): [string, ...number[]] {
    return this.engine === 'sqlite'
      ? [`(created, id) ${operator}${equal} (?, ?)`, created, id]
      : [`(created ${operator} ? OR (created = ? AND id ${operator}${equal} ?))`, created, created, id];
  }

  private matching(from: TrailPosition | undefined, to: TrailPosition | undefined): Statement {
    const { sql, parameters } = this.along(from, to);
    const lead = this.lead();
    const conditions = [sql];
    for (const { field, column } of LEADS) {
      const value = this.filter[field];
      if (field !== lead?.field && value !== undefined) {
        conditions.push(`${column} = ?`);
        parameters.push(value);
      }
    }
    if (this.filter.entityPath !== undefined) {
      conditions.push("LOWER(entity) LIKE ? ESCAPE '!'");
      parameters.push(containing(fold(this.filter.entityPath)));
    }
    if (!this.filter.hidden) {
      conditions.push('hidden_from_keys = 0');
    }
    return { sql: conditions.join(' AND '), parameters };
  }

  private lead(): (typeof LEADS)[number] | undefined {
    return LEADS.find(({ field }) => this.filter[field] !== undefined);
  }

  private indexHint(index: string): string {
    return this.engine === 'sqlite' ? `INDEXED BY ${index}` : `FORCE INDEX (${index})`;
  }
}

interface RawPosition {
  created: number | string;
  id: number;
}
