import { randomUUID } from 'node:crypto';

/** A name for coupons that are made together, by which they can be found. */
export function newBatchId(): string {
  return randomUUID();
}
