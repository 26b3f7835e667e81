import { Transform } from 'class-transformer';

/** White space at both ends of this text is not part of it. */
export const Trimmed = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.trim() : value));
