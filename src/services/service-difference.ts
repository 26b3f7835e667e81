import type { ServiceOperation, SkippedOperation } from './documents/openapi-document.js';
import type { ChangedEndpoint, FieldChange, ServiceEndpointView, SkippedOperationView } from './services.dto.js';
import type { StoredEndpoint } from './stored-endpoints.js';

/** The difference between the endpoints that a service had and those of its document now. */
export interface EndpointDifference {
  added: ServiceOperation[];
  removed: StoredEndpoint[];
  changed: { before: StoredEndpoint; after: ServiceOperation; differences: FieldChange[] }[];
}

/**
 * Compares endpoints by METHOD and path. A parameter with another name makes another path, because a grant names the
 * path as the admin read it.
 */
export function compareEndpoints(
  before: readonly StoredEndpoint[],
  after: readonly ServiceOperation[],
  applicationParameters: { before: string; after: string },
): EndpointDifference {
  const known = new Map(before.map((endpoint) => [nameOf(endpoint), endpoint]));
  const difference: EndpointDifference = { added: [], removed: [], changed: [] };
  for (const endpoint of after) {
    const stored = known.get(nameOf(endpoint));
    known.delete(nameOf(endpoint));
    if (!stored) {
      difference.added.push(endpoint);
      continue;
    }
    const differences = compareFields(
      fields(stored, applicationParameters.before),
      fields(endpoint, applicationParameters.after),
    );
    if (differences.length > 0) {
      difference.changed.push({ before: stored, after: endpoint, differences });
    }
  }
  difference.removed.push(...known.values());
  return difference;
}

/** Returns an endpoint as the API shows it. */
export function endpointView(endpoint: ServiceOperation): ServiceEndpointView {
  const { method, path, applicationScoped, summary, tag, deprecated } = endpoint;
  return { method, path, scope: applicationScoped ? 'application' : 'account', summary, tag, deprecated };
}

/** Returns an ungrantable operation as the API shows it. */
export function skippedView({ method, path, reason }: SkippedOperation): SkippedOperationView {
  return { method, path, reason };
}

/** Returns a changed endpoint as the API shows it. */
export function changedView({ after, differences }: EndpointDifference['changed'][number]): ChangedEndpoint {
  return { ...endpointView(after), differences };
}

function fields(endpoint: ServiceOperation, applicationParameter: string): Record<string, string> {
  const { scope, summary, tag, deprecated } = endpointView(endpoint);
  return {
    scope,
    // The Application parameter only matters for endpoints with Application scope.
    applicationParameter: endpoint.applicationScoped ? applicationParameter : '',
    summary,
    tag,
    deprecated: String(deprecated),
  };
}

function compareFields(before: Record<string, string>, after: Record<string, string>): FieldChange[] {
  const differences = Object.entries(after).flatMap(([field, to]) => {
    const from = before[field] ?? '';
    return from === to ? [] : [{ field, from, to }];
  });
  const scopeToo = differences.some(({ field }) => field === 'scope');
  return scopeToo ? differences.filter(({ field }) => field !== 'applicationParameter') : differences;
}

function nameOf({ method, path }: Pick<ServiceOperation, 'method' | 'path'>): string {
  return `${method} ${path}`;
}
