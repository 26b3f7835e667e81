import { Injectable } from '@nestjs/common';

/**
 * The only source of the current time for rules about keys, sessions and coupons. No variable and no endpoint can set
 * it.
 */
@Injectable()
export class Clock {
  /** Returns the current time in whole milliseconds since 1970-01-01T00:00:00Z. */
  now(): number {
    return Date.now();
  }
}
