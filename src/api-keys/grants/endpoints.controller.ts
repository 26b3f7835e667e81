import { Controller, Get, Query } from '@nestjs/common';
import type { Endpoint } from '../../access/access.js';
import { AdminOnly } from '../../access/access.decorators.js';
import { EndpointCatalogue } from '../../access/endpoint-catalogue.js';
import { fold } from '../../database/fold.js';
import type { Scan } from '../../database/reading/scan-turns.js';
import { Scanning } from '../../database/reading/scanning.decorator.js';
import { readSort } from '../../input/sorting.js';
import { Tagged } from '../../openapi/tag.decorator.js';
import { EndpointPage, EndpointQuery } from './endpoints.dto.js';

const SORT_COLUMNS = { service: 'service', path: 'path', method: 'method' } as const;

@Tagged({
  name: 'Endpoints',
  description: 'The catalogue of what a key may be granted, of Latchkey and of other services.',
  place: 40,
})
@Controller('v1/endpoints')
export class EndpointsController {
  constructor(private readonly catalogue: EndpointCatalogue) {}

  /**
   * Lists the endpoints that a key can be granted. For a key that is limited to Applications, use `scope=application`.
   */
  @Get()
  @AdminOnly('List the endpoints that a key can open')
  listEndpoints(@Query() query: EndpointQuery, @Scanning() scan: Scan): Promise<EndpointPage> {
    return scan.inTurn(() => this.list(query));
  }

  private async list({ scope, service, q, sort, skip, pageSize }: EndpointQuery): Promise<EndpointPage> {
    const wanted = q === undefined ? undefined : fold(q);
    const found = (await this.catalogue.grantable()).filter(
      (endpoint) =>
        (scope === undefined || endpoint.scope === scope) &&
        (service === undefined || endpoint.service === service) &&
        (wanted === undefined ||
          fold(`${endpoint.method} ${endpoint.path} ${endpoint.summary} ${endpoint.tag}`).includes(wanted)),
    );
    found.sort(orderBy(sort));
    return {
      totalResultSize: found.length,
      data: found.slice(skip, skip + pageSize).map((endpoint) => ({
        service: endpoint.service,
        method: endpoint.method,
        path: endpoint.path,
        scope: endpoint.scope,
        summary: endpoint.summary,
        tag: endpoint.tag,
      })),
    };
  }
}

/** Compares endpoints by one field, then by all fields. */
function orderBy(sort: EndpointQuery['sort']): (one: Endpoint, other: Endpoint) => number {
  const { column, direction } = readSort(sort, SORT_COLUMNS);
  const columns = [column, 'service', 'path', 'method'] as const;
  const sign = direction === 'ASC' ? 1 : -1;
  return (one, other) => {
    const differing = columns.find((name) => one[name] !== other[name]);
    return differing === undefined ? 0 : one[differing] < other[differing] ? -sign : sign;
  };
}
