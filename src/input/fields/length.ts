import { ValidateBy, type ValidationOptions } from 'class-validator';

/**
 * Counts characters as databases do: a character beyond the first 65,536 counts as one, and so does each joiner and
 * accent.
 */
export function lengthOf(text: string): number {
  let length = text.length;
  for (let place = 0; place < text.length; place += 1) {
    const unit = text.charCodeAt(place);
    if (unit >= 0xdc00 && unit <= 0xdfff) {
      length -= 1;
    }
  }
  return length;
}

/**
 * Checks the length of a text in characters, as databases count them. class-validator's own check ignores variation
 * selectors of emoji, so that a text could exceed its column. The name is the same, because the Swagger compiler plugin
 * documents it by name.
 */
export const Length = (min: number, max: number, options?: ValidationOptions): PropertyDecorator =>
  ValidateBy(
    {
      name: 'isLength',
      constraints: [min, max],
      validator: {
        validate: (value: unknown) => typeof value === 'string' && lengthOf(value) >= min && lengthOf(value) <= max,
        defaultMessage: () => '$property must have $constraint1 to $constraint2 characters',
      },
    },
    options,
  );

/** Checks that a text is not longer than this, counted like `Length`. */
export const MaxLength = (max: number, options?: ValidationOptions): PropertyDecorator => Length(0, max, options);
