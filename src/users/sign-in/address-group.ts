import { isIPv4, isIPv6 } from 'node:net';

/** Replaces every invalid address, so that all of them share their limits. */
const NO_ADDRESS = 'unknown';

/**
 * Returns the group of addresses that one client can use: a single IPv4 address, or the /64 of an IPv6 address, which
 * one customer typically gets.
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

/** Returns the eight words of an IPv6 address. The URL parser accepts every notation. */
function wordsOf(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const read = (part: string): number[] => (part === '' ? [] : part.split(':').map((word) => parseInt(word, 16)));
  if (tail === undefined) {
    return read(head);
  }
  const [before, after] = [read(head), read(tail)];
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}
