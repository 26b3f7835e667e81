import { isDeepStrictEqual } from 'node:util';

/**
 * Whether a change of some columns would leave a row different. One that does not is no change: it is neither written nor
 * recorded. What is stored as JSON is compared as such.
 */
export function differs<Row extends object>(row: Row, change: Partial<Row>): boolean {
  return Object.entries(change).some(
    ([column, value]) => !isDeepStrictEqual(plain(row[column as keyof Row]), plain(value)),
  );
}

function plain(value: unknown): unknown {
  return typeof value === 'object' ? JSON.parse(JSON.stringify(value)) : value;
}
