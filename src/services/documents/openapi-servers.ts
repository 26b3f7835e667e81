import { isObject, type JsonObject, OpenApiFault, property } from './openapi-fault.js';

/** The base path of operations, or the reason why it is unknown. */
export type ServerPlace =
  /** `origin` is null if the address of the server is relative: it is then the origin of the document. */
  { kind: 'place'; origin: string | null; basePath: string } | { kind: 'unusable'; reason: string };

/** The server of a document that names none. */
export const DEFAULT_PLACE: ServerPlace = { kind: 'place', origin: null, basePath: '' };

const ABSOLUTE = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?\/\/([^/?#]*)([^?#]*)$/s;

/**
 * Reads the first of the `servers` of a document, path or operation, with the default values of its variables. Returns
 * undefined if there is none, so that the next level applies.
 */
export function readServers(level: JsonObject, pointer: string): ServerPlace | undefined {
  const servers = property(level, 'servers');
  if (servers === undefined || (Array.isArray(servers) && servers.length === 0)) {
    return undefined;
  }
  if (!Array.isArray(servers)) {
    throw new OpenApiFault(`${pointer}/servers`, 'must be a list');
  }
  const first: unknown = servers[0];
  const url = isObject(first) ? property(first, 'url') : undefined;
  if (!isObject(first) || typeof url !== 'string') {
    throw new OpenApiFault(`${pointer}/servers/0`, 'must be an object with a url');
  }
  return readAddress(url, property(first, 'variables'));
}

function readAddress(template: string, variables: unknown): ServerPlace {
  const unset: string[] = [];
  const address = template.replaceAll(/\{([^{}]*)\}/g, (_whole, name: string) => {
    const variable = isObject(variables) ? property(variables, name) : undefined;
    const value = isObject(variable) ? property(variable, 'default') : undefined;
    if (typeof value !== 'string' && typeof value !== 'number') {
      unset.push(name);
    }
    return String(value);
  });
  if (unset.length > 0) {
    return unusable(`the variable {${unset[0]}} of its server has no default`);
  }
  if (/[?#]/.test(address)) {
    return unusable("its server's address has a query or a fragment");
  }
  const absolute = ABSOLUTE.exec(address);
  if (!absolute) {
    return { kind: 'place', origin: null, basePath: asBasePath(address.replace(/^\.(?:\/|$)/, '')) };
  }
  const [, scheme = 'https', authority = '', path = ''] = absolute;
  const url = `${scheme}://${authority}`;
  return URL.canParse(url)
    ? { kind: 'place', origin: `${scheme.toLowerCase()}://${new URL(url).host}`, basePath: asBasePath(path) }
    : unusable("its server's address is malformed");
}

function asBasePath(path: string): string {
  const base = path.endsWith('/') ? path.slice(0, -1) : path;
  return base === '' || base.startsWith('/') ? base : `/${base}`;
}

function unusable(reason: string): ServerPlace {
  return { kind: 'unusable', reason };
}
