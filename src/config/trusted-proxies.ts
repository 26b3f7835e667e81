import { isIP } from 'node:net';

/**
 * The proxies that are trusted to report a client's address: a number of hops before this process, or their addresses.
 */
export type TrustedProxies = number | string[];

const NAMED_NETWORKS = ['loopback', 'linklocal', 'uniquelocal'];
const HOPS = /^\d{1,2}$/;

/**
 * Parses a number of hops from 0 to 99, or addresses, CIDRs and names of networks separated by commas. Returns
 * undefined for anything else.
 */
export function readTrustedProxies(text: string): TrustedProxies | undefined {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const [only] = entries;
  if (entries.length === 1 && HOPS.test(only!)) {
    return Number(only);
  }
  return entries.length > 0 && entries.every(isNetwork) ? entries : undefined;
}

function isNetwork(entry: string): boolean {
  const [address = '', prefix, ...more] = entry.split('/');
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 0) {
    return NAMED_NETWORKS.includes(entry);
  }
  // A prefix of zero bits would trust every address.
  const isPrefix =
    prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128));
  return isPrefix && more.length === 0;
}
