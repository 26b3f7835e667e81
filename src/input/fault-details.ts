import { getMetadataStorage, type ValidationError } from 'class-validator';
import { pointerPart } from '../problems/validation-failed.js';
import type { Fault } from '../problems/problem.js';
import { failingPlaces } from './element-faults.js';
import { lengthOf } from './fields/length.js';
import { idDetail } from './id-detail.js';

/** Checks of a value's type. If one fails, further faults of the same value would only repeat it. */
const TYPE_CHECKS = ['isArray', 'isObject', 'nestedValidation', 'isString', 'isInt', 'isNumber', 'isBoolean'];

interface FailedCheck {
  /** The field, or one of its elements, such as `endpoints[2]`. */
  name: string;
  value: unknown;
  /** The arguments of the check. */
  parameters: readonly unknown[];
}

/** class-validator's checks in our words. Checks of our own, and checks with a `message`, have their words already. */
export const DETAILS: Record<string, (failed: FailedCheck) => string> = {
  whitelistValidation: ({ name }) => `${name} is not a known name: remove it, or check its spelling`,
  isString: ({ name }) => `${name} must be a string`,
  isInt: ({ name }) => idDetail(name) ?? `${name} must be a whole number`,
  isNumber: ({ name }) => `${name} must be a number`,
  isBoolean: ({ name }) => `${name} must be true or false`,
  isArray: ({ name }) => `${name} must be an array`,
  isObject: ({ name }) => `${name} must be an object`,
  nestedValidation: ({ name }) => `${name} must contain only objects`,
  isLength: ({ name, value, parameters: [min, max] }) =>
    `${name} must have ${min === 0 ? 'up' : String(min)} to ${String(max)} characters` +
    (typeof value === 'string' ? `, and has ${lengthOf(value)}` : ''),
  min: ({ name, parameters: [min] }) => `${name} must be at least ${String(min)}`,
  max: ({ name, parameters: [max] }) => `${name} must be at most ${String(max)}`,
  arrayMinSize: ({ name, parameters: [min] }) =>
    `${name} must have at least ${min === 1 ? 'one element' : `${String(min)} elements`}`,
  arrayMaxSize: ({ name, parameters: [max] }) => `${name} must have at most ${String(max)} elements`,
  arrayUnique: ({ name }) => `${name} must not contain the same value twice`,
  isIn: ({ name, parameters: [values] }) =>
    `${name} must be one of: ${(values as readonly unknown[]).map((value) => JSON.stringify(value)).join(', ')}`,
  isAscii: ({ name }) => `${name} must have only ASCII characters`,
  isEmail: ({ name }) => `${name} must be an e-mail address, such as ada@example.com`,
};

/** Converts class-validator's errors to faults. Each fault says what is wrong with which value, in our words. */
export function faultsOf(errors: readonly ValidationError[], parent = ''): Fault[] {
  return errors.flatMap((error) => {
    const pointer = parent + pointerPart(error.property);
    const own = faultsOfField(error, pointer);
    // An array with a wrong type has no elements to report.
    return error.constraints?.isArray === undefined ? [...own, ...faultsOf(error.children ?? [], pointer)] : own;
  });
}

function faultsOfField(error: ValidationError, pointer: string): Fault[] {
  const checks = Object.keys(error.constraints ?? {}).sort((one, other) => rank(one) - rank(other));
  const value = (error.target as Record<string, unknown> | undefined)?.[error.property];
  if (checks.length > 0 && value === undefined && !checks.includes('whitelistValidation')) {
    return [{ pointer, detail: `${error.property} is required` }];
  }
  const wrongTypes = new Set<string>();
  return checks.flatMap((check) => {
    const places = failingPlaces(error, check) ?? [undefined];
    return places.flatMap((place) => {
      const at = place === undefined ? pointer : `${pointer}/${place}`;
      if (wrongTypes.has(pointer) || wrongTypes.has(at)) {
        return [];
      }
      if (TYPE_CHECKS.includes(check)) {
        wrongTypes.add(at);
      }
      return [{ pointer: at, detail: detailOf(error, check, value, place) }];
    });
  });
}

function rank(check: string): number {
  const place = TYPE_CHECKS.indexOf(check);
  return place === -1 ? TYPE_CHECKS.length : place;
}

function detailOf(error: ValidationError, check: string, value: unknown, place: number | undefined): string {
  const { property, target, constraints = {} } = error;
  const metadata = getMetadataStorage()
    .getTargetValidationMetadatas(target!.constructor, '', true, false)
    .find(({ name, propertyName }) => name === check && propertyName === property);
  const describe = metadata?.message === undefined ? DETAILS[check] : undefined;
  if (!describe) {
    return constraints[check]!;
  }
  return describe({
    name: place === undefined ? property : `${property}[${place}]`,
    value: place === undefined ? value : (value as unknown[])[place],
    parameters: (metadata?.constraints ?? []) as unknown[],
  });
}
