import type { ValueTransformer } from 'typeorm';

/**
 * Times are stored as whole milliseconds since the epoch: one number, the same on both engines and in every time zone.
 */
export type Milliseconds = number;

/** Returns a time as the API shows it: RFC 3339, UTC, milliseconds. */
export function toRfc3339(time: Milliseconds): string {
  return new Date(time).toISOString();
}

/** Reads a `bigint` column as a number. The MySQL driver may return it as text. */
export const wholeNumber: ValueTransformer = {
  to: (value: number | null | undefined) => value,
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};
