import { buildMessage, ValidateBy, type ValidationArguments, type ValidationOptions } from 'class-validator';

/** Characters, as databases count them: those beyond the first 65,536 are one each, and every joiner or accent is one. */
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
 * Checks that a text has so many characters, as databases count them: class-validator's own passes over those that choose
 * how an emoji looks, and a column would be too short. It has the same name, by which the compiler plugin of Swagger
 * documents it.
 */
export const Length = (min: number, max: number, options?: ValidationOptions): PropertyDecorator =>
  ValidateBy(
    {
      name: 'isLength',
      constraints: [min, max],
      validator: {
        validate: (value: unknown) => typeof value === 'string' && lengthOf(value) >= min && lengthOf(value) <= max,
        defaultMessage: buildMessage((each, args) => {
          const bound = isTooShort(args, min)
            ? 'longer than or equal to $constraint1'
            : 'shorter than or equal to $constraint2';
          return `${each}$property must be ${bound} characters`;
        }, options),
      },
    },
    options,
  );

/** Checks that a text has no more than so many characters, as `Length` counts them. */
export const MaxLength = (max: number, options?: ValidationOptions): PropertyDecorator => Length(0, max, options);

function isTooShort(args: ValidationArguments | undefined, min: number): boolean {
  const value: unknown = args?.value;
  return typeof value !== 'string' || lengthOf(value) < min;
}
