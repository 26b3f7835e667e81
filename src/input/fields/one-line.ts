import { Matches } from 'class-validator';

/** A text of one line, or each of several, without control characters. */
export const IsOneLine = ({ each = false } = {}): PropertyDecorator =>
  Matches(/^\P{Cc}*$/u, {
    each,
    message: `${each ? 'each of ' : ''}$property must be one line without control characters`,
  });
