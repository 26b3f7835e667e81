import { ValidateIf } from 'class-validator';

/**
 * Allows a field to be absent. Unlike `@IsOptional()`, it does not allow `null`, because absent and empty are
 * different.
 */
export const IfPresent = (): PropertyDecorator => ValidateIf((_object, value) => value !== undefined);

/** Allows a field to be absent or null. Absent keeps the value, null removes it. */
export const IfGiven = (): PropertyDecorator => ValidateIf((_object, value) => value !== undefined && value !== null);
