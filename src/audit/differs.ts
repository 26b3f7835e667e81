import { isDeepStrictEqual } from 'node:util';

/**
 * Returns whether a change of some columns makes a row different. If not, nothing is written or recorded. JSON columns
 * are compared as JSON.
 */
export function differs<Row extends object>(row: Row, change: Partial<Row>): boolean {
  return Object.entries(change).some(
    ([column, value]) => !isDeepStrictEqual(plain(row[column as keyof Row]), plain(value)),
  );
}

function plain(value: unknown): unknown {
  return typeof value === 'object' ? JSON.parse(JSON.stringify(value)) : value;
}
