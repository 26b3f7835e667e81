import { applyDecorators } from '@nestjs/common';
import { ValidateBy } from 'class-validator';

const TIME = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
/** The range of times that RFC 3339 can express, in UTC. */
const FIRST = Date.parse('0000-01-01T00:00:00.000Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Parses an RFC 3339 time with its offset to whole milliseconds since the epoch; finer fractions are cut. A day alone,
 * February 30th or a leap second is invalid. The time zone of the process has no effect.
 */
export function parseRfc3339(text: string): number | undefined {
  const match = TIME.exec(text);
  if (!match) {
    return undefined;
  }
  const [, day, hours, minutes, seconds, fraction = '', offset] = match;
  if (!exists(day!) || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) {
    return undefined;
  }
  const milliseconds = fraction.slice(1, 4).padEnd(3, '0');
  const time = Date.parse(`${day}T${hours}:${minutes}:${seconds}.${milliseconds}${offset!.toUpperCase()}`);
  return time >= FIRST && time <= LAST ? time : undefined;
}

/** JavaScript parses February 30th as March 2nd. */
function exists(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00.000Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

/** Checks that a text is an RFC 3339 time. `readTime` then parses it. */
export const IsTime = (): PropertyDecorator =>
  applyDecorators(
    ValidateBy({
      name: 'isTime',
      validator: {
        validate: (value: unknown) => typeof value === 'string' && parseRfc3339(value) !== undefined,
        defaultMessage: () =>
          '$property must be an RFC 3339 time such as 2026-11-23T12:00:00Z (in a query, + is written %2B)',
      },
    }),
  );

/** Parses a valid time to milliseconds. Throws on text that `IsTime` refuses. */
export function readTime(text: string): number {
  const time = parseRfc3339(text);
  if (time === undefined) {
    throw new Error('not an RFC 3339 time');
  }
  return time;
}
