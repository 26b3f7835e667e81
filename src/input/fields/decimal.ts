import { ApiExtension } from '@nestjs/swagger';

/** Begins the names of extensions that list a schema's decimal fields until the document is complete. */
export const DECIMAL_EXTENSION = 'x-decimal-';

/** Documents that a number may have decimals. All other numbers are documented as integers. */
export const Decimal = (): PropertyDecorator => (target, name) => {
  // An extension of the property itself would move the property to the front of its schema.
  ApiExtension(`${DECIMAL_EXTENSION}${String(name)}`, true)(target.constructor);
};
