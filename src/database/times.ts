import type { ValueTransformer } from 'typeorm';

/** Times are kept as whole milliseconds since the epoch: one number, the same on both engines, in every time zone. */
export type Milliseconds = number;

/** A time as the API shows it: RFC 3339, UTC, milliseconds. */
export function toRfc3339(time: Milliseconds): string {
  return new Date(time).toISOString();
}

/** Reads a `bigint` column as a number; the MySQL driver may hand it over as text. */
export const wholeNumber: ValueTransformer = {
  to: (value: number | null | undefined) => value,
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};
