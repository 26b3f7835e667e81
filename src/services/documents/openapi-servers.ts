import { isObject, type JsonObject, OpenApiFault, property } from './openapi-fault.js';

/** Where operations are served: the path in front of theirs, or why none can be told. */
export type ServerPlace =
  /** `origin` is null where the server's address is relative: it is wherever the document is. */
  { kind: 'place'; origin: string | null; basePath: string } | { kind: 'unusable'; reason: string };

/** What stands for the servers where a document names none. */
export const DEFAULT_PLACE: ServerPlace = { kind: 'place', origin: null, basePath: '' };

const ABSOLUTE = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?\/\/([^/?#]*)([^?#]*)$/s;

/**
 * Reads the first entry of the `servers` of a document, a path or an operation, its variables at their defaults.
 * Undefined where there is none, so that the next level counts.
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
