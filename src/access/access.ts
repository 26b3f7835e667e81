/** Who may call an endpoint; exactly what its decorator says. `scope` of a key endpoint is derived from its path. */
export type Access =
  { kind: 'public' } | { kind: 'signed-in' } | { kind: 'admin-only' } | { kind: 'key'; session: 'any' | 'admin' };

/** Whether an endpoint works with one individual Application or with the whole account. */
export type Scope = 'account' | 'application';

/** The service under which Latchkey's own endpoints stand in the catalogue. */
export const MANAGEMENT = 'management';
/** The id of that service; other services have ids from 1. */
export const MANAGEMENT_ID = 0;

/** One entry of the catalogue: an endpoint that exists and, perhaps, may be granted. */
export interface Endpoint {
  service: string;
  /** Tells a service from an earlier one of the same name. */
  serviceId: number;
  method: string;
  /** The path template, such as `/v1/applications/{applicationId}/campaigns`. */
  path: string;
  scope: Scope;
  /** Name of the path parameter that holds the Application id; null for account scope. */
  applicationParameter: string | null;
  summary: string;
  tag: string;
  /** Whether a key may be granted this endpoint. */
  grantable: boolean;
}

/** An endpoint of Latchkey's own, with its declaration. */
export interface OwnEndpoint extends Endpoint {
  access: Access;
}

/** Identifies an endpoint among all services. */
export function endpointId(endpoint: Pick<Endpoint, 'service' | 'method' | 'path'>): string {
  return `${endpoint.service} ${endpoint.method} ${endpoint.path}`;
}

/** What a grant says: an endpoint of one service, and what the endpoint meant when it was granted or last confirmed. */
export type Grant = Pick<Endpoint, 'service' | 'serviceId' | 'method' | 'path' | 'applicationParameter'>;

/**
 * The form in which grants are kept in memory. It has everything that an endpoint must still be to be opened. Neither
 * service nor METHOD has a space, and no parameter has a slash, so that no two grants share an id.
 */
export function grantId({ service, serviceId, method, path, applicationParameter }: Grant): string {
  return `${service} ${serviceId} ${method} ${applicationParameter ?? ''} ${path}`;
}

/** Whether a grant is for an endpoint, apart from what the endpoint means. */
export function isGrantFor(
  id: string,
  { service, serviceId, method, path }: Omit<Grant, 'applicationParameter'>,
): boolean {
  return id.startsWith(`${service} ${serviceId} ${method} `) && id.endsWith(` ${path}`);
}

/** An endpoint as people read it. */
export function endpointName(endpoint: Pick<Endpoint, 'method' | 'path'>): string {
  return `${endpoint.method} ${endpoint.path}`;
}
