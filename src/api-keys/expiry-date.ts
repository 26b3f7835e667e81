import { ValidateBy } from 'class-validator';
import type { Milliseconds } from '../database/times.js';
import { parseRfc3339 } from '../input/fields/rfc3339.js';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Parses an expiry date: an RFC 3339 time with an offset, cut to milliseconds, or a day, which means the end of that
 * day in UTC. Nothing else is valid. The time zone of the process has no effect.
 */
function parseExpiryDate(text: string): Milliseconds | undefined {
  return parseRfc3339(DAY.test(text) ? `${text}T23:59:59.999Z` : text);
}

/** Checks that a text is an expiry date. `readExpiryDate` then parses it. */
export const IsExpiryDate = (): PropertyDecorator =>
  ValidateBy({
    name: 'isExpiryDate',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && parseExpiryDate(value) !== undefined,
      defaultMessage: () => '$property must be an RFC 3339 date-time with an offset, or a day as YYYY-MM-DD',
    },
  });

/** Parses a valid expiry date. Throws on text that `IsExpiryDate` refuses. */
export function readExpiryDate(text: string): Milliseconds {
  const time = parseExpiryDate(text);
  if (time === undefined) {
    throw new Error('not an expiry date');
  }
  return time;
}
