import { ValidateBy } from 'class-validator';

/**
 * A field that other servers have a meaning for, and that programs send along: accepted as long as it is empty, so that
 * nobody expects anything of it. `@ApiHideProperty()` beside it keeps it out of the document.
 */
export const Unused = (): PropertyDecorator =>
  ValidateBy({
    name: 'isUnused',
    validator: {
      validate: (value: unknown) =>
        value === undefined ||
        value === null ||
        value === '' ||
        (typeof value === 'object' && Object.keys(value).length === 0),
      defaultMessage: () => '$property is not used here and must be empty',
    },
  });
