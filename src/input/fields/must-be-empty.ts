import { ValidateBy } from 'class-validator';

/**
 * Accepts a field only if it is empty. Programs send such fields because other servers use them; here they have no
 * effect. `@ApiHideProperty()` beside it removes the field from the OpenAPI document.
 */
export const MustBeEmpty = (): PropertyDecorator =>
  ValidateBy({
    name: 'mustBeEmpty',
    validator: {
      validate: (value: unknown) =>
        value === undefined ||
        value === null ||
        value === '' ||
        (typeof value === 'object' && Object.keys(value).length === 0),
      defaultMessage: () => '$property is not used here and must be empty',
    },
  });
