import { isIPv4, isIPv6 } from 'node:net';

/** Stands for every address that makes no sense: they share their limits. */
const NO_ADDRESS = 'unknown';

/**
 * The addresses that one client is taken to have at its disposal: an IPv4 address alone, an IPv6 address with its whole
 * /64, which is what a single customer gets.
 */
export function addressGroup(address: string | undefined): string {
  if (address === undefined) {
    return NO_ADDRESS;
  }
  if (isIPv4(address)) {
    return address;
  }
  const withoutZone = address.split('%', 1)[0]!;
  if (!isIPv6(withoutZone)) {
    return NO_ADDRESS;
  }
  const words = wordsOf(withoutZone);
  const mapped = words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff;
  return mapped
    ? [words[6]! >> 8, words[6]! & 0xff, words[7]! >> 8, words[7]! & 0xff].join('.')
    : `${words
        .slice(0, 4)
        .map((word) => word.toString(16))
        .join(':')}::/64`;
}

/** The eight words of an IPv6 address, whichever way it is written: the URL parser knows all of them. */
function wordsOf(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const read = (part: string): number[] => (part === '' ? [] : part.split(':').map((word) => parseInt(word, 16)));
  if (tail === undefined) {
    return read(head);
  }
  const [before, after] = [read(head), read(tail)];
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}
