import { Transform } from 'class-transformer';

const WHOLE = /^(?:\d{1,10}|-[1-9]\d{0,9})$/;

/**
 * Parses a query parameter as a whole number if it has only digits, optionally after a minus. Any other text stays
 * unchanged and fails the number checks beside it. `Number` would accept `0x10`, `1e2`, spaces and an empty text.
 */
export const WholeNumber = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && WHOLE.test(value) ? Number(value) : value,
  );
