import { randomInt } from 'node:crypto';
import { Problem } from '../../problems/problem.js';

/** The maximum number of coupons that one request generates. */
export const COUPONS_MAX = 20_000;

const PLACEHOLDER = '#';
const DEFAULT_PATTERN = '########';
const DEFAULT_CHARACTERS = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789');
/** Up to this many possible codes, all of them are drawn, one after another, until enough are free: 8 MB of numbers. */
const SMALL_ROOM = 2_000_000;
/**
 * With more possible codes, this many are tried per requested code. If almost none of them is free, codes can be
 * guessed.
 */
const TRIES_PER_CODE = 10;
const TRIES_MIN = 1000;

/** A pattern for codes. Each `#` stands for one of the characters. */
export interface CodePattern {
  couponPattern?: string;
  validCharacters?: readonly string[];
}

/**
 * Draws random codes from a pattern, none of them twice. It stops after all possible codes, or, if there are very many,
 * after a multiple of the requested number. The caller keeps the free ones, and either gets enough or finds the pattern
 * too narrow. Throws `pattern-too-narrow` if the pattern has fewer codes than requested.
 */
export function* drawCodes(pattern: CodePattern, wanted: number): Generator<string> {
  const parts = (pattern.couponPattern ?? DEFAULT_PATTERN).split(PLACEHOLDER);
  const given = new Set(pattern.validCharacters);
  const characters = given.size > 0 ? [...given] : DEFAULT_CHARACTERS;
  const room = characters.length ** (parts.length - 1);
  if (room < wanted) {
    throw patternTooNarrow(`The pattern has room for ${room} codes, and ${wanted} are wanted.`);
  }
  yield* room <= SMALL_ROOM ? shuffled(parts, characters, room) : sampled(parts, characters, wanted);
}

/** Returns the problem of a pattern with too few codes, or too few free codes. */
export function patternTooNarrow(detail: string): Problem {
  return new Problem('pattern-too-narrow', detail, {
    errors: [{ pointer: '/couponPattern', detail: 'is too narrow' }],
  });
}

/** Yields all possible codes in a random order. */
function* shuffled(parts: string[], characters: string[], room: number): Generator<string> {
  const numbers = new Uint32Array(room);
  for (let number = 0; number < room; number += 1) {
    numbers[number] = number;
  }
  for (let left = room; left > 0; left -= 1) {
    const place = randomInt(left);
    const number = numbers[place]!;
    numbers[place] = numbers[left - 1]!;
    yield codeOf(parts, characters, number);
  }
}

/** Returns the code of a number: the characters are its digits. */
function codeOf(parts: string[], characters: string[], number: number): string {
  let rest = number;
  let code = parts[0]!;
  for (const part of parts.slice(1)) {
    code += characters[rest % characters.length]! + part;
    rest = Math.floor(rest / characters.length);
  }
  return code;
}

function* sampled(parts: string[], characters: string[], wanted: number): Generator<string> {
  const drawn = new Set<string>();
  for (let tries = TRIES_MIN + TRIES_PER_CODE * wanted; tries > 0; tries -= 1) {
    let code = parts[0]!;
    for (const part of parts.slice(1)) {
      code += characters[randomInt(characters.length)]! + part;
    }
    if (!drawn.has(code)) {
      drawn.add(code);
      yield code;
    }
  }
}
