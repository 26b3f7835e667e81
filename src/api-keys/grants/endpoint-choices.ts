import { type Endpoint, endpointId, endpointName, MANAGEMENT } from '../../access/access.js';
import type { Fault } from '../../problems/problem.js';
import type { EndpointChoice } from '../api-keys.dto.js';

/**
 * Returns every fault of the endpoints chosen for a key. Unknown and repeated endpoints are faults. If the key is
 * limited to Applications, so are endpoints that do not work with an individual Application.
 */
export function checkChoices(
  choices: readonly EndpointChoice[],
  grantableById: (id: string) => Endpoint | undefined,
  limitedToApplications: boolean,
): Fault[] {
  const seen = new Set<string>();
  return choices.flatMap((choice, position) => {
    const pointer = `/endpoints/${position}`;
    const { service = MANAGEMENT } = choice;
    const id = endpointId({ ...choice, service });
    const endpoint = grantableById(id);
    if (!endpoint) {
      return [
        {
          pointer,
          detail: `${endpointName(choice)} cannot be granted: GET /v1/endpoints does not list it for service "${service}"`,
        },
      ];
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
