import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { type Endpoint, endpointId, endpointName, MANAGEMENT, MANAGEMENT_ID, type OwnEndpoint } from './access.js';
import { Problem } from '../problems/problem.js';
import { declarationOf } from './access.decorators.js';
import { EndpointTree } from './paths/endpoint-tree.js';
import { readRawPath } from './paths/raw-path.js';

/** A feature that adds endpoints to the catalogue, such as those of other services. */
export interface CatalogueSource {
  /** Returns the current endpoints, by `endpointId`. */
  endpoints(): Promise<ReadonlyMap<string, Endpoint>>;
}

/** The provider of the list of catalogue sources that features supply. */
export const CATALOGUE_SOURCES = Symbol('latchkey:catalogue-sources');

const SEGMENT = /^(?::[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9_.-]+)$/;
const TAG = 'swagger/apiUseTags';

/** Some routes of this process have no valid declaration. The message lists every fault. */
export class CatalogueError extends Error {}

/**
 * Holds all endpoints. It reads Latchkey's own endpoints from the controllers when the process starts. The process does
 * not start if a route exists twice, or does not have exactly one declaration of its access.
 */
@Injectable()
export class EndpointCatalogue {
  /** Latchkey's own endpoints, in the order of their controllers and methods. */
  readonly own: readonly OwnEndpoint[];
  private readonly byHandler = new Map<Type, Map<unknown, OwnEndpoint>>();
  private readonly tree = new EndpointTree<OwnEndpoint>();
  private readonly ownById: ReadonlyMap<string, OwnEndpoint>;

  constructor(
    discovery: DiscoveryService,
    scanner: MetadataScanner,
    @Inject(CATALOGUE_SOURCES) private readonly sources: readonly CatalogueSource[],
  ) {
    const faults: string[] = [];
    const own: OwnEndpoint[] = [];
    const names = new Map<string, string>();
    for (const controller of new Set(discovery.getControllers().map((wrapper) => wrapper.metatype as Type))) {
      const prototype = controller.prototype as Record<string, object>;
      for (const property of scanner.getAllMethodNames(prototype)) {
        const handler = prototype[property]!;
        if (Reflect.getMetadata(METHOD_METADATA, handler) === undefined) {
          continue;
        }
        const place = `${controller.name}.${property}`;
        const endpoint = readRoute(controller, handler);
        if (typeof endpoint === 'string') {
          faults.push(`${place}: ${endpoint}`);
          continue;
        }
        const name = endpointName(endpoint);
        const shape = name.replaceAll(/\{[^}]*\}/g, '{}');
        const other = names.get(shape);
        if (other) {
          faults.push(`${place}: ${name} exists already, as ${other}`);
          continue;
        }
        names.set(shape, place);
        own.push(endpoint);
        this.remember(controller, handler, endpoint);
      }
    }
    if (faults.length > 0) {
      throw new CatalogueError(
        `The process does not start: these routes are not declared properly.\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
      );
    }
    this.own = own;
    this.ownById = new Map(own.map((endpoint) => [endpointId(endpoint), endpoint]));
    own.forEach((endpoint) => this.tree.add(endpoint.method, endpoint.path, endpoint));
  }

  /** Returns why a request matched no endpoint: its path has only other methods, or the path does not exist. */
  problemOfMissing(request: Pick<IncomingMessage, 'method' | 'url'>): Problem {
    const path = readRawPath(request.url ?? '');
    const allow = path.kind === 'segments' ? this.tree.methods(path) : [];
    return allow.length > 0
      ? new Problem('method-not-allowed', `This path has ${allow.join(', ')}.`, { allow: [...allow] })
      : new Problem('not-found');
  }

  /** Returns the endpoint that a handler serves. Throws for an unknown handler, so that it is never let through. */
  endpointOf(controller: Type, handler: unknown): OwnEndpoint {
    const endpoint = this.byHandler.get(controller)?.get(handler);
    if (!endpoint) {
      throw new Error(`${controller.name} has a handler that is not in the catalogue`);
    }
    return endpoint;
  }

  /** Returns every endpoint that a key may currently be granted, of Latchkey and of all other services. */
  async grantable(): Promise<Endpoint[]> {
    const all = await this.all();
    return all.flatMap((endpoints) => [...endpoints.values()]).filter((endpoint) => endpoint.grantable);
  }

  /**
   * Returns a function that finds an endpoint by its `endpointId`. The function returns undefined for an endpoint that
   * a key cannot be granted.
   */
  async grantableById(): Promise<(id: string) => Endpoint | undefined> {
    const all = await this.all();
    return (id) => all.map((endpoints) => endpoints.get(id)).find((endpoint) => endpoint?.grantable);
  }

  private async all(): Promise<ReadonlyMap<string, Endpoint>[]> {
    return [this.ownById, ...(await Promise.all(this.sources.map((source) => source.endpoints())))];
  }

  private remember(controller: Type, handler: unknown, endpoint: OwnEndpoint): void {
    const handlers = this.byHandler.get(controller) ?? new Map<unknown, OwnEndpoint>();
    this.byHandler.set(controller, handlers.set(handler, endpoint));
  }
}

/** Returns the endpoint that a controller method declares, or a description of what is wrong with its declaration. */
function readRoute(controller: Type, handler: object): OwnEndpoint | string {
  const declaration = declarationOf(handler);
  if (!declaration) {
    return 'declares no access: add @Public, @SignedIn, @AdminOnly or @KeyAccess';
  }
  const requestMethod = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod;
  if (requestMethod === RequestMethod.ALL) {
    return '@All serves methods that are not declared: name each method';
  }
  const prefix = Reflect.getMetadata(PATH_METADATA, controller) as unknown;
  const suffix = Reflect.getMetadata(PATH_METADATA, handler) as unknown;
  if (typeof prefix !== 'string' || typeof suffix !== 'string') {
    return 'has more than one path, or none';
  }
  const segments = `${prefix}/${suffix}`.split('/').filter((segment) => segment !== '');
  if (!segments.every((segment) => SEGMENT.test(segment))) {
    return `its path /${segments.join('/')} has more than literals and whole-segment parameters`;
  }
  const path = `/${segments.map((segment) => (segment.startsWith(':') ? `{${segment.slice(1)}}` : segment)).join('/')}`;
  const scoped = segments.includes(':applicationId');
  const tags = Reflect.getMetadata(TAG, controller) as string[] | undefined;
  return {
    service: MANAGEMENT,
    serviceId: MANAGEMENT_ID,
    method: RequestMethod[requestMethod],
    path,
    scope: scoped ? 'application' : 'account',
    applicationParameter: scoped ? 'applicationId' : null,
    summary: declaration.summary,
    tag: tags?.[0] ?? controller.name.replace(/Controller$/, ''),
    grantable: declaration.access.kind === 'key',
    access: declaration.access,
  };
}
