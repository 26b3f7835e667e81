import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { AdminOnly } from '../access/access.decorators.js';
import { EndpointCatalogue } from '../access/endpoint-catalogue.js';
import { fold } from '../database/fold.js';
import { EndpointPage, EndpointQuery } from './endpoints.dto.js';

@ApiTags('Endpoints')
@Controller('v1/endpoints')
export class EndpointsController {
  constructor(private readonly catalogue: EndpointCatalogue) {}

  /** What may be granted to a key. For a key that is limited to Applications, ask for `scope=application`. */
  @Get()
  @AdminOnly('List the endpoints that a key can open')
  async listEndpoints(@Query() { scope, service, q, skip, pageSize }: EndpointQuery): Promise<EndpointPage> {
    const wanted = q === undefined ? undefined : fold(q);
    const found = (await this.catalogue.grantable()).filter(
      (endpoint) =>
        (scope === undefined || endpoint.scope === scope) &&
        (service === undefined || endpoint.service === service) &&
        (wanted === undefined ||
          fold(`${endpoint.method} ${endpoint.path} ${endpoint.summary} ${endpoint.tag}`).includes(wanted)),
    );
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
