/** The texts and the numbers of a JSON text; digits within a text are none. */
const TOKENS = /"(?:[^"\\]+|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Fewer digits are always kept, and with more than 309 a number is beyond all bounds anyway. */
const LONG_INTEGER = /^-?\d{16,309}$/;

/**
 * The first whole number of a valid JSON text that reading and writing would silently make another one of, because it lies
 * beyond 2^53. Ids of other systems are such numbers.
 */
export function findRoundedInteger(json: string): string | undefined {
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

/** Whether a whole number is the same when it has been read, or at least when it is written again. */
function isKept(digits: string): boolean {
  const read = Number(digits);
  return !Number.isFinite(read) || String(read) === digits || BigInt(read) === BigInt(digits);
}
