import { ValidateBy } from 'class-validator';
import { lengthOf } from '../input/fields/length.js';

/**
 * A text without regard to case: what is compared or searched so is stored a second time in this form, because the two
 * engines disagree about case and accents in their own comparisons.
 */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** Checks that a text has no more than so many characters when it is folded: a few of them become many then. */
export const FoldsWithin = (lengthMax: number): PropertyDecorator =>
  ValidateBy({
    name: 'foldsWithin',
    validator: {
      validate: (value: unknown) => typeof value !== 'string' || lengthOf(fold(value)) <= lengthMax,
      defaultMessage: () => '$property must be shorter: some of its characters stand for many',
    },
  });

/** A `LIKE` pattern for "contains this text", to be used with `ESCAPE '!'`. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[!%_]/g, '!$&')}%`;
}
