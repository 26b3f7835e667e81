import type { Milliseconds } from '../database/times.js';
import { parseRfc3339 } from '../http/rfc3339.js';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Reads an expiry date: an RFC 3339 time with an offset, cut to milliseconds, or a plain day, which means the end of
 * that day in UTC. Nothing else is one, and no time zone of the process plays a part.
 */
export function parseExpiryDate(text: string): Milliseconds | undefined {
  return parseRfc3339(DAY.test(text) ? `${text}T23:59:59.999Z` : text);
}
