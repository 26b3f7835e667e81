import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { validationFailed, pointerPart } from '../problems/validation-failed.js';
import { type Fault, Problem } from '../problems/problem.js';
import { faultsOf } from './fault-details.js';
import { refuseUnstorableParameters } from './storable.js';

class InvalidInput extends Error {
  constructor(readonly errors: ValidationError[]) {
    super('invalid input');
  }
}

/**
 * Validates every body and query against its DTO. It refuses fields that the DTO does not have, and lists all faults at
 * once.
 */
@Injectable()
export class InputPipe extends ValidationPipe {
  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      transform: true,
      exceptionFactory: (errors) => new InvalidInput(errors),
      validationError: { target: true },
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'param') {
      // Path parameters have their own pipes, such as `IdPipe`, which are stricter than a cast.
      return value;
    }
    if (metadata.type === 'body' && value === undefined) {
      throw new Problem('body-missing', 'The request needs a JSON object as its body.');
    }
    if (metadata.type === 'query') {
      refuseUnstorableParameters(value as Record<string, unknown>);
    }
    const { taken, errors } = await this.check(value, metadata);
    const dropped = droppedFields(value, taken);
    if (errors.length + dropped.length > 0) {
      const faults = [...faultsOf(errors), ...dropped];
      throw validationFailed(metadata.type === 'query' ? faults.map(asParameterFault) : faults);
    }
    return taken;
  }

  /** Returns the value that the framework created, and its faults. */
  private async check(
    value: unknown,
    metadata: ArgumentMetadata,
  ): Promise<{ taken: unknown; errors: ValidationError[] }> {
    try {
      return { taken: await super.transform(value, metadata), errors: [] };
    } catch (error) {
      if (error instanceof InvalidInput) {
        return { taken: error.errors[0]?.target, errors: error.errors };
      }
      throw error;
    }
  }
}

/**
 * Finds fields that the framework silently dropped, at any depth: it drops names that every object has, such as
 * `toString`.
 */
function droppedFields(given: unknown, taken: unknown, parent = ''): Fault[] {
  if (given === taken || !isObject(given) || !isObject(taken)) {
    return [];
  }
  return Object.keys(given).flatMap((name) => {
    const pointer = parent + pointerPart(name);
    return Object.hasOwn(taken, name)
      ? droppedFields(given[name], taken[name], pointer)
      : [{ pointer, detail: `${name} is not a known name: remove it, or check its spelling` }];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Converts a pointer to a parameter, because parameters have no fields. */
function asParameterFault({ pointer = '', detail }: Fault): Fault {
  const [, parameter = ''] = pointer.split('/');
  return { parameter: parameter.replaceAll('~1', '/').replaceAll('~0', '~'), detail };
}
