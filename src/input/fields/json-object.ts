import { applyDecorators } from '@nestjs/common';
import { Transform, Type } from 'class-transformer';
import { IsObject } from 'class-validator';

/**
 * Checks that a value is a JSON object, and keeps it exactly as it came. class-transformer would copy it with the
 * `constructor` of each value, and a member may have that name. With the type boolean it leaves the value alone, and
 * the transform restores the original.
 */
export const IsJsonObject = (): PropertyDecorator =>
  applyDecorators(
    Type(() => Boolean),
    Transform(({ obj, key }: { obj: Record<string, unknown>; key: string }) => obj[key]),
    IsObject(),
  );
