import { Injectable } from '@nestjs/common';

/** The only source of the present time for rules about keys, sessions and coupons. No variable and no endpoint can set it. */
@Injectable()
export class Clock {
  /** Now, whole milliseconds since 1970-01-01T00:00:00Z. */
  now(): number {
    return Date.now();
  }
}
