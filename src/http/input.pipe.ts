import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import { ValidateIf, type ValidationError } from 'class-validator';
import { type Fault, Problem } from './problem.js';
import { isCleanText } from './text.js';

/** Names by which a prototype can be reached: the framework drops them in silence, so that they are refused aloud. */
const PROTOTYPE_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

/** Deepest nesting of a JSON body. */
const DEPTH_MAX = 64;

/** A field that may be left out. Unlike `@IsOptional()` it does not let `null` pass: absent and empty are two things. */
export const IfPresent = (): PropertyDecorator => ValidateIf((_object, value) => value !== undefined);

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
    if (metadata.type === 'body' && Array.isArray(value)) {
      throw new Problem('json-malformed', 'The body must be one JSON object.');
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

/** The problem that lists faults of the input. */
export function invalid(faults: Fault[]): Problem {
  const first = faults[0];
  const place = first?.pointer ?? first?.parameter;
  const detail = first ? `${place ? `${place}: ` : ''}${first.detail}` : undefined;
  return new Problem('validation-failed', detail, { errors: faults });
}

/** A property name as part of a JSON pointer (RFC 6901). */
export function pointerPart(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
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

/**
 * Refuses a JSON value that could not be stored and read back unchanged, or that means mischief: text with NUL or lone
 * surrogates, numbers beyond all bounds, names that reach for a prototype, and nesting without end.
 */
export function refuseUnstorable(root: unknown): void {
  const stack: { value: unknown; pointer: string; depth: number }[] = [{ value: root, pointer: '', depth: 0 }];
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const { value, pointer, depth } = entry;
    if (typeof value === 'string' && !isCleanText(value)) {
      throw invalid([{ pointer, detail: 'must not contain NUL or halves of surrogate pairs' }]);
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw invalid([{ pointer, detail: 'is a number beyond all bounds' }]);
    }
    if (typeof value !== 'object' || value === null) {
      continue;
    }
    if (depth === DEPTH_MAX) {
      throw invalid([{ pointer, detail: `is nested deeper than ${DEPTH_MAX} levels` }]);
    }
    for (const [name, child] of Object.entries(value)) {
      if (PROTOTYPE_NAMES.has(name) || !isCleanText(name)) {
        throw invalid([{ pointer, detail: 'has a property with an unusable name' }]);
      }
      stack.push({ value: child, pointer: pointer + pointerPart(name), depth: depth + 1 });
    }
  }
}
