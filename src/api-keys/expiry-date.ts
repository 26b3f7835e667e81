import type { Milliseconds } from '../database/times.js';

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Reads an expiry date: an RFC 3339 date-time with an offset, cut to milliseconds, or a plain day, which means the end
 * of that day in UTC. Nothing else is one, and no time zone of the process plays a part.
 */
export function parseExpiryDate(text: string): Milliseconds | undefined {
  if (DAY.test(text)) {
    return existingDay(text) ? Date.parse(`${text}T23:59:59.999Z`) : undefined;
  }
  const match = TIME.exec(text);
  if (!match) {
    return undefined;
  }
  const [, day, hours, minutes, seconds, fraction = '', offset] = match;
  if (!existingDay(day!) || Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) {
    return undefined;
  }
  const milliseconds = fraction.slice(1, 4).padEnd(3, '0');
  const time = Date.parse(`${day}T${hours}:${minutes}:${seconds}.${milliseconds}${offset!.toUpperCase()}`);
  return Number.isNaN(time) ? undefined : time;
}

/** JavaScript reads February 30th as March 2nd. */
function existingDay(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00.000Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}
