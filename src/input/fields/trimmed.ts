import { Transform } from 'class-transformer';

/** Removes white space at both ends of a text. */
export const Trimmed = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value));
