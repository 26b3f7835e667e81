import { hash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** The prefix of a secret. It keeps keys and session tokens from being mistaken for each other. */
export type SecretPrefix = 'lkm_' | 'lks_';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62^43 is just above 2^256. */
const RANDOM_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const BODY = new RegExp(`^[0-9A-Za-z]{${RANDOM_LENGTH + CHECKSUM_LENGTH}}$`);

/** Creates a secret: its prefix, 43 random characters, and a checksum of 6 characters that reveals typos. */
export function mintSecret(prefix: SecretPrefix): string {
  const random = Array.from({ length: RANDOM_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `${prefix}${random}${checksum(prefix + random)}`;
}

/**
 * Returns whether a text could be a secret with this prefix. It checks the checksum, so that typos never reach the
 * database.
 */
export function isWellFormedSecret(prefix: SecretPrefix, text: string): boolean {
  return (
    text.startsWith(prefix) &&
    BODY.test(text.slice(prefix.length)) &&
    checksum(text.slice(0, -CHECKSUM_LENGTH)) === text.slice(-CHECKSUM_LENGTH)
  );
}

/**
 * Returns the SHA-256 of a secret in hexadecimal, the only stored form. A slow hash would add nothing to 256 random
 * bits and would slow down every request.
 */
export function hashSecret(text: string): string {
  return hash('sha256', text);
}

/** Returns the CRC32 as zlib computes it, in base62, padded with `0` on the left. */
function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let position = 0; position < CHECKSUM_LENGTH; position += 1) {
    digits = ALPHABET[rest % ALPHABET.length]! + digits;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return digits;
}
