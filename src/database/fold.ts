import { ValidateBy } from 'class-validator';
import { lengthOf } from '../input/fields/length.js';

/**
 * Folds the case of a text. Text that is compared or searched ignoring case is also stored in this form, because the
 * engines disagree about case and accents.
 */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** Checks the length of a text after folding, because folding turns some characters into several. */
export const FoldsWithin = (lengthMax: number): PropertyDecorator =>
  ValidateBy({
    name: 'foldsWithin',
    validator: {
      validate: (value: unknown) => typeof value !== 'string' || lengthOf(fold(value)) <= lengthMax,
      defaultMessage: () => '$property must be shorter: some of its characters become several when case is ignored',
    },
  });

/** Returns a `LIKE` pattern for "contains this text", for use with `ESCAPE '!'`. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[!%_]/g, '!$&')}%`;
}
