/**
 * Who may call an endpoint, exactly as its decorator declares. The `scope` of a key endpoint is derived from its path.
 */
export type Access =
  { kind: 'public' } | { kind: 'signed-in' } | { kind: 'admin-only' } | { kind: 'key'; session: 'any' | 'admin' };

/** Whether an endpoint works with an individual Application or with the whole account. */
export type Scope = 'account' | 'application';

/** The service that Latchkey's own endpoints belong to in the catalogue. */
export const MANAGEMENT = 'management';
/** The id of that service; other services have ids from 1. */
export const MANAGEMENT_ID = 0;

/** One entry of the catalogue: an endpoint that exists. It may be grantable. */
export interface Endpoint {
  service: string;
  /** Distinguishes a service from an earlier service of the same name. */
  serviceId: number;
  method: string;
  /** The path template, such as `/v1/applications/{applicationId}/campaigns`. */
  path: string;
  scope: Scope;
  /** The name of the path parameter that holds the Application id. Null for account scope. */
  applicationParameter: string | null;
  summary: string;
  tag: string;
  /** Whether a key may be granted this endpoint. */
  grantable: boolean;
}

/** One of Latchkey's own endpoints, with its declaration. */
export interface OwnEndpoint extends Endpoint {
  access: Access;
}

/** Returns the id of an endpoint, which is unique among all services. */
export function endpointId(endpoint: Pick<Endpoint, 'service' | 'method' | 'path'>): string {
  return `${endpoint.service} ${endpoint.method} ${endpoint.path}`;
}

/**
 * The content of a grant: an endpoint of one service, with the meaning that it had when it was granted or last
 * confirmed.
 */
export type Grant = Pick<Endpoint, 'service' | 'serviceId' | 'method' | 'path' | 'applicationParameter'>;

/**
 * Returns the form in which memory holds a grant. It contains every property that must still match for the grant to
 * allow an endpoint. Neither a service nor a METHOD contains a space, and no parameter contains a slash. So no two
 * grants share an id.
 */
export function grantId({ service, serviceId, method, path, applicationParameter }: Grant): string {
  return `${service} ${serviceId} ${method} ${applicationParameter ?? ''} ${path}`;
}

/** Returns whether a grant is for an endpoint, whatever the meaning of the endpoint is. */
export function isGrantFor(
  id: string,
  { service, serviceId, method, path }: Omit<Grant, 'applicationParameter'>,
): boolean {
  return id.startsWith(`${service} ${serviceId} ${method} `) && id.endsWith(` ${path}`);
}

/** Returns the name of an endpoint for people. */
export function endpointName(endpoint: Pick<Endpoint, 'method' | 'path'>): string {
  return `${endpoint.method} ${endpoint.path}`;
}
