import type { Express, RequestHandler } from 'express';
import type { EndpointCatalogue } from './endpoint-catalogue.js';

/** A route that is not a controller method. A `judged` route reads a credential itself, a `public` route reads none. */
export interface RawRoute {
  /** A path as Express reads it. A trailing `/*` includes everything below it. */
  path: string;
  access: 'public' | 'judged';
  summary: string;
}

/** Every raw route of the process. Declare a new raw route here before you serve it. */
export const RAW_ROUTES = {
  forwardAuth: { path: '/v1/forward_auth/*', access: 'judged', summary: 'Ask for a proxy whether a request may pass' },
  front: { path: '/', access: 'public', summary: 'The way to Swagger UI' },
  docs: { path: '/docs/*', access: 'public', summary: 'Swagger UI' },
  openapi: { path: '/openapi.json', access: 'public', summary: 'The OpenAPI document' },
  metrics: { path: '/metrics', access: 'public', summary: 'Metrics for Prometheus' },
} as const satisfies Record<string, RawRoute>;

/** Serves a raw route. The handler gets every method and the undecoded URL. No guard runs before it. */
export function serveRawRoute(server: Express, route: RawRoute, handler: RequestHandler): void {
  server.use((request, response, next) => {
    if (covers(route, pathOf(request.url))) {
      return handler(request, response, next);
    }
    return next();
  });
}

/** Returns a request target without its query. */
export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** Returns whether a raw route serves a path. */
export function covers(route: RawRoute, path: string): boolean {
  if (!route.path.endsWith('/*')) {
    return path === route.path;
  }
  const base = route.path.slice(0, -2);
  return path === base || path.startsWith(`${base}/`);
}

/** The parts of a layer of Express's router that are checked. */
interface Layer {
  name: string;
  route?: { path: string | string[]; methods: Record<string, boolean> };
  handle: { stack?: unknown };
  /** Whether the layer is mounted on the root, where it gets every request. */
  slash: boolean;
}

/**
 * Walks Express's router and throws if a route is in neither the catalogue nor the list of raw routes, or would be
 * served before those. Call it when everything is registered and before the process listens. It cannot tell whether a
 * layer on the root passes requests on or responds to them. Reviewers must check those layers.
 */
export function refuseUndeclaredRoutes(server: Express, catalogue: EndpointCatalogue): void {
  const unserved = new Set(
    catalogue.own.map(({ method, path }) => `${method} ${path.replaceAll(/\{([^}]*)\}/g, ':$1')}`),
  );
  const faults = (server.router as unknown as { stack: Layer[] }).stack.flatMap((layer) => {
    if (!layer.route) {
      return faultsOfMounted(layer);
    }
    return [layer.route.path].flat().flatMap((path) =>
      Object.keys(layer.route!.methods)
        .map((method) => `${method === '_all' ? 'ALL' : method.toUpperCase()} ${path}`)
        // The catalogue lists each route once. A second layer for the same route would bypass the guard.
        .filter((name) => !unserved.delete(name) && !Object.values(RAW_ROUTES).some((route) => covers(route, path))),
    );
  });
  if (faults.length > 0) {
    throw new Error(
      `The process does not start: these routes are undeclared.\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
  }
}

function faultsOfMounted({ name, handle, slash }: Layer): string[] {
  if (handle.stack) {
    return ['a mounted router, whose routes are not declared'];
  }
  if (name === 'mounted_app') {
    return ['a mounted application, whose routes are not declared'];
  }
  return slash ? [] : [`a handler on a path (${name}), which is not declared`];
}
