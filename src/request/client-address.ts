import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';

/** Returns whether a proxy at an address is trusted. Express derives it from `TRUST_PROXY`. */
export type TrustProxy = (address: string, hop: number) => boolean;

/** The maximum length of an address with its zone. */
const LENGTH_MAX = 64;

/**
 * Returns the address of the first hop that is not trusted; undefined if that is not an IP address.
 *
 * @param peer the address at the other end of the connection
 */
export function clientAddress(
  headers: IncomingHttpHeaders,
  peer: string | undefined,
  trust: TrustProxy,
): string | undefined {
  return validAddress(proxyAddr({ headers, socket: { remoteAddress: peer } }, trust));
}

/** Returns the text if it is an IP address. A trusted proxy may pass on any text of a client. */
export function validAddress(address: string | undefined): string | undefined {
  return address !== undefined && address.length <= LENGTH_MAX && isIP(address) !== 0 ? address : undefined;
}
