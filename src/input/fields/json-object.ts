import { applyDecorators } from '@nestjs/common';
import { Transform, Type } from 'class-transformer';
import { IsObject } from 'class-validator';

/**
 * A JSON object with whatever members the caller likes, kept exactly as it came.
 * class-transformer would copy it by asking each value for its `constructor`, which a member may be called; told that it
 * is a boolean it leaves the value alone, and the original is put back.
 */
export const IsJsonObject = (): PropertyDecorator =>
  applyDecorators(
    Type(() => Boolean),
    Transform(({ obj, key }: { obj: Record<string, unknown>; key: string }) => obj[key]),
    IsObject(),
  );
