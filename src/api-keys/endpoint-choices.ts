import { type Endpoint, endpointId, endpointName, MANAGEMENT } from '../access/access.js';
import type { Fault } from '../http/problem.js';
import type { EndpointChoice } from './api-keys.dto.js';

/**
 * Every fault of the endpoints chosen for a key: unknown services, unknown ones, repeated ones, and, if the key is to be limited to
 * Applications, those that do not work with an individual Application.
 */
export function checkChoices(
  choices: readonly EndpointChoice[],
  grantable: readonly Endpoint[],
  limitedToApplications: boolean,
): Fault[] {
  const known = new Map(grantable.map((endpoint) => [endpointId(endpoint), endpoint]));
  const services = new Set(grantable.map(({ service }) => service));
  const seen = new Set<string>();
  return choices.flatMap((choice, position) => {
    const pointer = `/endpoints/${position}`;
    const { service = MANAGEMENT } = choice;
    if (!services.has(service)) {
      return [{ pointer: `${pointer}/service`, detail: `GET /v1/endpoints has no service "${service}"` }];
    }
    const id = endpointId({ ...choice, service });
    const endpoint = known.get(id);
    if (!endpoint) {
      return [{ pointer, detail: `${endpointName(choice)} cannot be granted: it is not in GET /v1/endpoints` }];
    }
    if (seen.has(id)) {
      return [{ pointer, detail: `${endpointName(choice)} is listed twice` }];
    }
    seen.add(id);
    return limitedToApplications && endpoint.scope !== 'application'
      ? [{ pointer, detail: `${endpointName(choice)} does not work with an individual Application` }]
      : [];
  });
}
