import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import proxyAddr from 'proxy-addr';

/** Whether a proxy at an address is trusted: what Express makes of `TRUST_PROXY`. */
export type TrustProxy = (address: string, hop: number) => boolean;

/** No address is longer, with its zone. */
const LENGTH_MAX = 64;

/** The address that a request comes from, as far as its proxies are trusted; nothing if that is not an IP address. */
export function clientAddress(request: IncomingMessage, trust: TrustProxy): string | undefined {
  return validAddress(proxyAddr(request, trust));
}

/** Returns the text if it is an IP address: a trusted proxy may pass on any text of a client. */
export function validAddress(address: string | undefined): string | undefined {
  return address !== undefined && address.length <= LENGTH_MAX && isIP(address) !== 0 ? address : undefined;
}
