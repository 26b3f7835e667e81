import { getMetadataStorage, type ValidationError } from 'class-validator';

/**
 * Returns the positions of the array elements that fail a check; undefined if the check applies to the whole array.
 * class-validator itself only reports that some element fails.
 *
 * @param error class-validator's error for the array, with its target
 * @param check the name of the check, as in the error's `constraints`
 */
export function failingPlaces({ target, property }: ValidationError, check: string): number[] | undefined {
  const array: unknown = (target as Record<string, unknown> | undefined)?.[property];
  if (!target || !Array.isArray(array)) {
    return undefined;
  }
  const storage = getMetadataStorage();
  for (const { each, constraintCls, constraints, propertyName } of storage.getTargetValidationMetadatas(
    target.constructor,
    '',
    true,
    false,
  )) {
    const [validator] = each && propertyName === property ? storage.getTargetValidatorConstraints(constraintCls) : [];
    if (validator?.name === check) {
      const about = { targetName: target.constructor.name, object: target, property, constraints };
      return array.flatMap((value: unknown, place) =>
        validator.instance.validate(value, { ...about, value }) === true ? [] : [place],
      );
    }
  }
  return undefined;
}
