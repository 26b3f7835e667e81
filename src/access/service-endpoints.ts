import type { KnownEndpoint } from './authorizer.js';
import type { EndpointTree } from './paths/endpoint-tree.js';

/** The endpoints of all other services, as they were at one revision of the catalogue. */
export interface ServiceCatalogueCopy {
  /** The endpoints of one service, ready to be matched; undefined if there is no such service. */
  treeOf(service: string): EndpointTree<KnownEndpoint> | undefined;
}

/** Knows the endpoints of other services. */
export interface ServiceEndpoints {
  /** The copy of a revision that was just read, if it is at hand. */
  find(revision: number): ServiceCatalogueCopy | undefined;
  /**
   * The endpoints of a revision that was just read from the database, or of one that came after it.
   *
   * @param deadline milliseconds on the clock of `performance.now()`; past it this rejects with a 503 problem
   */
  at(revision: number, deadline: number): Promise<ServiceCatalogueCopy>;
}

/** The provider of `ServiceEndpoints`. */
export const SERVICE_ENDPOINTS = Symbol('latchkey:service-endpoints');
