import { validationFailed, pointerPart } from '../problems/validation-failed.js';

/** Names that give access to a prototype. The framework drops them silently, so this refuses them explicitly. */
const PROTOTYPE_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

/** The maximum nesting of a JSON body. */
const DEPTH_MAX = 64;

/** Returns whether a text can be stored and compared exactly: it has no NUL and no lone surrogate. */
export function isCleanText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/**
 * Refuses a JSON value that cannot be stored and read back unchanged, or that is malicious: text with NUL or lone
 * surrogates, infinite numbers, names that give access to a prototype, and very deep nesting.
 */
export function refuseUnstorable(root: unknown): void {
  const stack: { value: unknown; pointer: string; depth: number }[] = [{ value: root, pointer: '', depth: 0 }];
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const { value, pointer, depth } = entry;
    if (typeof value === 'string' && !isCleanText(value)) {
      throw validationFailed([{ pointer, detail: 'must not contain NUL or halves of surrogate pairs' }]);
    }
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw validationFailed([{ pointer, detail: 'is a number beyond all bounds' }]);
    }
    if (typeof value !== 'object' || value === null) {
      continue;
    }
    if (depth === DEPTH_MAX) {
      throw validationFailed([{ pointer, detail: `is nested deeper than ${DEPTH_MAX} levels` }]);
    }
    for (const [name, child] of Object.entries(value)) {
      if (PROTOTYPE_NAMES.has(name) || !isCleanText(name)) {
        throw validationFailed([{ pointer, detail: 'has a property with an unusable name' }]);
      }
      stack.push({ value: child, pointer: pointer + pointerPart(name), depth: depth + 1 });
    }
  }
}

/** Refuses query parameters that `refuseUnstorable` would refuse in a body. */
export function refuseUnstorableParameters(query: Record<string, unknown>): void {
  const faults = Object.entries(query).flatMap(([parameter, value]) =>
    PROTOTYPE_NAMES.has(parameter) ||
    [parameter, value].flat().some((text) => typeof text === 'string' && !isCleanText(text))
      ? [{ parameter, detail: 'must not reach for a prototype, nor contain NUL or halves of surrogate pairs' }]
      : [],
  );
  if (faults.length > 0) {
    throw validationFailed(faults);
  }
}
