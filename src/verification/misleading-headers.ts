import { OVERRIDE_HEADERS } from '../access/paths/request-overrides.js';

/**
 * Headers that a proxy writes. The proxy overwrites a client's header in the same spelling, so that this spelling is
 * allowed. A header in another spelling would stay, and CGI, WSGI and FastCGI pass both to the upstream under one name.
 */
const WRITTEN_BY_PROXIES = ['x-latchkey-', 'x-forwarded-', 'x-original-', 'x-real-ip'];

const overrides = new Map(OVERRIDE_HEADERS.map(({ name }) => [hyphenated(name.toLowerCase()), name]));

const SMALL_X = 0x78;

/**
 * Returns why a request with a header of this name must be refused. An upstream may take METHOD or path from the
 * header, or trust it as written by the proxy.
 */
export function reasonAgainstHeader(name: string): string | undefined {
  // Forward auth calls this for every header of every request. All relevant names start with an X or contain an
  // underscore, like SCRIPT_NAME.
  if ((name.charCodeAt(0) | 0x20) !== SMALL_X && !name.includes('_')) {
    return undefined;
  }
  const lowerCase = name.toLowerCase();
  const folded = hyphenated(lowerCase);
  const override = overrides.get(folded);
  if (override !== undefined) {
    return `the header ${override} may name another request to the upstream`;
  }
  if (folded === lowerCase) {
    return undefined;
  }
  const start = WRITTEN_BY_PROXIES.find((prefix) => folded.startsWith(prefix));
  return start && `a header that starts with ${start} contains other separators than hyphens`;
}

/**
 * Folds every spelling of a header's name to the one with hyphens. Servers with CGI variables turn hyphens into
 * underscores, PHP also turns dots, and lighttpd every character that is not a letter or digit.
 */
function hyphenated(lowerCase: string): string {
  for (let index = 0; index < lowerCase.length; index += 1) {
    if (!isCanonical(lowerCase.charCodeAt(index))) {
      return lowerCase.replace(/[^a-z0-9]/g, '-');
    }
  }
  return lowerCase;
}

function isCanonical(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || code === 0x2d || (code >= 0x30 && code <= 0x39);
}
