import { Matches } from 'class-validator';

/** Checks that a text, or each of several, is one line without control characters. */
export const IsOneLine = ({ each = false } = {}): PropertyDecorator =>
  Matches(/^\P{Cc}*$/u, {
    each,
    message: `${each ? 'each of ' : ''}$property must be one line without control characters`,
  });
