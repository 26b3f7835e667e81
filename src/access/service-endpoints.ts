import type { KnownEndpoint } from './authorizer.js';
import type { EndpointTree } from './paths/endpoint-tree.js';

/** The endpoints of all other services at one revision of the catalogue. */
export interface ServiceCatalogueCopy {
  /** Returns the endpoints of one service, ready to be matched. Returns undefined if the service does not exist. */
  treeOf(service: string): EndpointTree<KnownEndpoint> | undefined;
}

/** Provides the endpoints of other services. */
export interface ServiceEndpoints {
  /** Returns the copy of a revision that was just read, if it is in memory. */
  find(revision: number): ServiceCatalogueCopy | undefined;
  /**
   * Returns the endpoints of a revision that was just read from the database, or of a later one. Rejects with a 503
   * problem after the deadline.
   *
   * @param deadline milliseconds on the clock of `performance.now()`
   */
  at(revision: number, deadline: number): Promise<ServiceCatalogueCopy>;
}

/** The provider of `ServiceEndpoints`. */
export const SERVICE_ENDPOINTS = Symbol('latchkey:service-endpoints');
