import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { invalid, pointerPart } from './invalid.js';
import { type Fault, Problem } from './problem.js';
import { isCleanText } from './storable.js';

class InvalidInput extends Error {
  constructor(readonly errors: ValidationError[]) {
    super('invalid input');
  }
}

/** Checks every body and query against its DTO; refuses what the DTO does not name; lists all faults at once. */
@Injectable()
export class InputPipe extends ValidationPipe {
  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      transform: true,
      exceptionFactory: (errors) => new InvalidInput(errors),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'param') {
      // A parameter of the path stays the text that it is: pipes of its own, such as `IdPipe`, are stricter than a cast.
      return value;
    }
    if (metadata.type === 'body' && value === undefined) {
      throw new Problem('body-missing', 'The request needs a JSON object as its body.');
    }
    if (metadata.type === 'query') {
      refuseUncleanParameters(value as Record<string, unknown>);
    }
    try {
      return (await super.transform(value, metadata)) as unknown;
    } catch (error) {
      if (error instanceof InvalidInput) {
        const faults = metadata.type === 'query' ? parameterFaults(error.errors) : pointerFaults(error.errors, '');
        throw invalid(faults);
      }
      throw error;
    }
  }
}

function pointerFaults(errors: ValidationError[], parent: string): Fault[] {
  return errors.flatMap((error) => {
    const pointer = parent + pointerPart(error.property);
    const own = Object.values(error.constraints ?? {}).map((detail) => ({ pointer, detail }));
    return [...own, ...pointerFaults(error.children ?? [], pointer)];
  });
}

function parameterFaults(errors: ValidationError[]): Fault[] {
  return errors.flatMap((error) =>
    Object.values(error.constraints ?? {}).map((detail) => ({ parameter: error.property, detail })),
  );
}

function refuseUncleanParameters(query: Record<string, unknown>): void {
  const faults = Object.entries(query).flatMap(([parameter, value]) =>
    parameter === '__proto__' ||
    [parameter, value].flat().some((text) => typeof text === 'string' && !isCleanText(text))
      ? [{ parameter, detail: 'must not reach for a prototype, nor contain NUL or halves of surrogate pairs' }]
      : [],
  );
  if (faults.length > 0) {
    throw invalid(faults);
  }
}
