/** Who may call an endpoint; exactly what its decorator says. `scope` of a key endpoint is derived from its path. */
export type Access =
  { kind: 'public' } | { kind: 'signed-in' } | { kind: 'admin-only' } | { kind: 'key'; session: 'any' | 'admin' };

/** Whether an endpoint works with one individual Application or with the whole account. */
export type Scope = 'account' | 'application';

/** The service under which Latchkey's own endpoints stand in the catalogue. */
export const MANAGEMENT = 'management';

/** One entry of the catalogue: an endpoint that exists and, perhaps, may be granted. */
export interface Endpoint {
  service: string;
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

/** Identifies an endpoint among all services; the form in which grants are kept in memory. */
export function endpointId(endpoint: Pick<Endpoint, 'service' | 'method' | 'path'>): string {
  return `${endpoint.service} ${endpoint.method} ${endpoint.path}`;
}

/** An endpoint as people read it. */
export function endpointName(endpoint: Pick<Endpoint, 'method' | 'path'>): string {
  return `${endpoint.method} ${endpoint.path}`;
}
