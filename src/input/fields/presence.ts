import { ValidateIf } from 'class-validator';

/** A field that may be left out. Unlike `@IsOptional()` it does not let `null` pass: absent and empty are two things. */
export const IfPresent = (): PropertyDecorator => ValidateIf((_object, value) => value !== undefined);

/** A field that may be left out and may be null: the first leaves things as they are, the second takes the value away. */
export const IfGiven = (): PropertyDecorator => ValidateIf((_object, value) => value !== undefined && value !== null);
