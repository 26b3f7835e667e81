/** As much of the package as is used; it brings no types. */
declare module 'proxy-addr' {
  import type { IncomingHttpHeaders } from 'node:http';

  /** The address of the first hop that is not trusted. */
  export default function proxyAddr(
    request: { headers: IncomingHttpHeaders; socket: { remoteAddress: string | undefined } },
    trust: (address: string, hop: number) => boolean,
  ): string | undefined;
}
