import { randomInt } from 'node:crypto';
import { Problem } from '../../problems/problem.js';

/** Coupons that one request can generate at the most. */
export const COUPONS_MAX = 20_000;

const PLACEHOLDER = '#';
const DEFAULT_PATTERN = '########';
const DEFAULT_CHARACTERS = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789');
/** Up to so many possible codes are all drawn, one after the other, until enough of them are free: 8 MB of numbers. */
const SMALL_ROOM = 2_000_000;
/** From more possible codes, so many are tried for each that is wanted: if hardly any is free, they can be guessed. */
const TRIES_PER_CODE = 10;
const TRIES_MIN = 1000;

/** What codes are drawn from: a pattern in which each `#` stands for one of some characters. */
export interface CodePattern {
  couponPattern?: string;
  validCharacters?: readonly string[];
}

/**
 * Draws codes from a pattern, at random and none twice, for as long as there is any point in it: all codes there are, or,
 * where there are very many, some times as many as are wanted. Whoever keeps those that are free either gets enough or
 * finds the pattern too narrow; it cannot go on for ever.
 * Throws `pattern-too-narrow` where the pattern has less room than codes are wanted.
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

/** The problem of a pattern that has not enough room, or not enough that is still free. */
export function patternTooNarrow(detail: string): Problem {
  return new Problem('pattern-too-narrow', detail, {
    errors: [{ pointer: '/couponPattern', detail: 'is too narrow' }],
  });
}

/** Every code there is, in a random order. */
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

/** The code of a number, which is written with the characters as its digits. */
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
