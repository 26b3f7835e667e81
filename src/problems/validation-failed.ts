import { type Fault, Problem } from './problem.js';

/** Returns the problem that lists faults of the input. */
export function validationFailed(faults: Fault[]): Problem {
  const first = faults[0];
  const place = first?.pointer ?? first?.parameter;
  const detail = first ? `${place ? `${place}: ` : ''}${first.detail}` : undefined;
  return new Problem('validation-failed', detail, { errors: faults });
}

/** Escapes a property name as a part of a JSON pointer (RFC 6901). */
export function pointerPart(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
