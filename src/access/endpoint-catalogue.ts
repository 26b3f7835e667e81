import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { type Endpoint, endpointId, endpointName, MANAGEMENT, MANAGEMENT_ID, type OwnEndpoint } from './access.js';
import { Problem } from '../problems/problem.js';
import { declarationOf } from './access.decorators.js';
import { EndpointTree } from './paths/endpoint-tree.js';
import { readRawPath } from './paths/raw-path.js';

/** A feature that knows of further endpoints, such as those of other services. */
export interface CatalogueSource {
  /** The endpoints as they are now, by `endpointId`. */
  endpoints(): Promise<ReadonlyMap<string, Endpoint>>;
}

/** The sources of further endpoints that features provide, as a list. */
export const CATALOGUE_SOURCES = Symbol('latchkey:catalogue-sources');

const SEGMENT = /^(?::[A-Za-z][A-Za-z0-9]*|[A-Za-z0-9_.-]+)$/;
const TAG = 'swagger/apiUseTags';

/** The routes that this process would serve are not all declared properly; the message lists every fault. */
export class CatalogueError extends Error {}

/**
 * Every endpoint there is. Its own part is read off the controllers when the process starts, and the process does not
 * start if a route has no declaration of its access, or more than one, or exists twice.
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

  /** Why a request found nothing: its path has other methods, or there is no such path. */
  problemOfMissing(request: Pick<IncomingMessage, 'method' | 'url'>): Problem {
    const path = readRawPath(request.url ?? '');
    const allow = path.kind === 'segments' ? this.tree.methods(path) : [];
    return allow.length > 0
      ? new Problem('method-not-allowed', `This path has ${allow.join(', ')}.`, { allow: [...allow] })
      : new Problem('not-found');
  }

  /** The endpoint that a handler serves. Throws where there is none: an unknown handler is never let through. */
  endpointOf(controller: Type, handler: unknown): OwnEndpoint {
    const endpoint = this.byHandler.get(controller)?.get(handler);
    if (!endpoint) {
      throw new Error(`${controller.name} has a handler that is not in the catalogue`);
    }
    return endpoint;
  }

  /** Every endpoint that a key may be granted, of Latchkey and of all other services, as they are now. */
  async grantable(): Promise<Endpoint[]> {
    const all = await this.all();
    return all.flatMap((endpoints) => [...endpoints.values()]).filter((endpoint) => endpoint.grantable);
  }

  /** What tells the endpoint of an `endpointId`, as they are now; undefined where a key cannot be granted it. */
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

/** The endpoint that a controller method declares, or what is wrong with its declaration. */
function readRoute(controller: Type, handler: object): OwnEndpoint | string {
  const declaration = declarationOf(handler);
  if (!declaration) {
    return 'declares no access: add @Public, @SignedIn, @AdminOnly or @KeyAccess';
  }
  const requestMethod = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod;
  if (requestMethod === RequestMethod.ALL) {
    return '@All serves methods that nobody declared: name each method';
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
