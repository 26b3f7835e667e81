import { Transform } from 'class-transformer';

const WHOLE = /^(?:\d{1,10}|-[1-9]\d{0,9})$/;

/**
 * Reads a parameter of a query as a whole number if it is nothing but digits, perhaps behind a minus. Everything else stays the text that it is
 * and fails the checks of a number beside it: `Number` would take `0x10`, `1e2`, spaces and nothing at all for one.
 */
export const WholeNumber = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && WHOLE.test(value) ? Number(value) : value,
  );
