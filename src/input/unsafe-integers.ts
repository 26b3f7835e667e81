/** Matches the strings and the numbers of a JSON text, so that digits in a string do not count as numbers. */
const TOKENS = /"(?:[^"\\]+|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Shorter integers are always exact. A number with more than 309 digits is infinite anyway. */
const LONG_INTEGER = /^-?\d{16,309}$/;

/**
 * Finds the first integer of a valid JSON text that parsing would silently change, because it is larger than 2^53. Ids
 * of other systems are such numbers.
 */
export function findUnsafeInteger(json: string): string | undefined {
  if (!/\d{16}/.test(json)) {
    return undefined;
  }
  for (const [token] of json.matchAll(TOKENS)) {
    if (LONG_INTEGER.test(token) && !isKept(token)) {
      return token;
    }
  }
  return undefined;
}

/** Returns whether an integer stays the same after parsing, or at least after writing it again. */
function isKept(digits: string): boolean {
  const read = Number(digits);
  return !Number.isFinite(read) || String(read) === digits || BigInt(read) === BigInt(digits);
}
