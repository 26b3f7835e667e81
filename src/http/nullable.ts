import { ValidateIf } from 'class-validator';

/** A field that may be left out and may be null: the first leaves things as they are, the second takes the value away. */
export const IfGiven = (): PropertyDecorator => ValidateIf((_object, value) => value !== undefined && value !== null);
