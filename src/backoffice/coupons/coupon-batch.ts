import { randomUUID } from 'node:crypto';

/** Returns a new id for coupons that are created together, by which they can be found. */
export function newBatchId(): string {
  return randomUUID();
}
