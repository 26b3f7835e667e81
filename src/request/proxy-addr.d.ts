/** The part of the package that is used. The package has no types. */
declare module 'proxy-addr' {
  import type { IncomingHttpHeaders } from 'node:http';

  /** Returns the address of the first hop that is not trusted. */
  export default function proxyAddr(
    request: { headers: IncomingHttpHeaders; socket: { remoteAddress: string | undefined } },
    trust: (address: string, hop: number) => boolean,
  ): string | undefined;
}
