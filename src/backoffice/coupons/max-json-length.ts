import { ValidateBy } from 'class-validator';
import { ATTRIBUTES_LENGTH_MAX } from './new-coupon.js';

/** Checks that a JSON value is short enough to be stored with each of a million coupons. */
export const MaxJsonLength = (): PropertyDecorator =>
  ValidateBy({
    name: 'isShortJson',
    validator: {
      validate: (value: unknown) => (JSON.stringify(value) ?? '').length <= ATTRIBUTES_LENGTH_MAX,
      defaultMessage: () => `$property must not have more than ${ATTRIBUTES_LENGTH_MAX} characters as JSON`,
    },
  });
