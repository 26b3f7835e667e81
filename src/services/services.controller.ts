import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Res } from '@nestjs/common';
import { ApiBody, ApiParam, ApiResponse } from '@nestjs/swagger';
import type { Response } from 'express';
import { AdminOnly, CurrentCaller } from '../access/access.decorators.js';
import type { Caller } from '../access/caller.js';
import type { Scan } from '../database/reading/scan-turns.js';
import { Scanning } from '../database/reading/scanning.decorator.js';
import { UnparsedJsonBody } from '../input/body.js';
import { TellsKeysAffected, tellKeysAffected } from '../access/keys-affected.js';
import { Tagged } from '../openapi/tag.decorator.js';
import { Problems } from '../problems/problems.decorator.js';
import {
  NewService,
  ServiceDifference,
  ServicePage,
  ServiceQuery,
  ServicesQuery,
  ServiceView,
} from './services.dto.js';
import { ServicesService } from './services.service.js';

const ServiceParameter = (): MethodDecorator =>
  ApiParam({
    name: 'service',
    description: 'The service: lower-case letters, digits and hyphens.',
    example: 'billing',
  });
const BODY_BYTES_MAX = 30 * 1024 * 1024;

@Tagged({
  name: 'Services',
  description: 'Endpoints of other services, so that keys can be granted on them too.',
  place: 90,
  examples: {
    'service-not-found': { detail: 'There is no service "billing".' },
    'changes-not-confirmed': {
      detail:
        'confirmChanges is not the digest of what changes for keys: ask again with dryRun=true, read changedGrants, and send its digest.',
    },
    'openapi-invalid': {
      detail: '/openapi must be a version 3.0.x or 3.1.x: Latchkey reads no others.',
      errors: [{ pointer: '/openapi', detail: 'must be a version 3.0.x or 3.1.x: Latchkey reads no others' }],
    },
  },
})
@Controller('v1/services')
export class ServicesController {
  constructor(private readonly services: ServicesService) {}

  @Get()
  @AdminOnly('List the services whose endpoints keys can open')
  listServices(@Query() query: ServicesQuery, @Scanning() scan: Scan): Promise<ServicePage> {
    return scan.inTurn(() => this.services.list(query));
  }

  @Get(':service')
  @ServiceParameter()
  @AdminOnly('Get a service with its endpoints')
  @Problems('service-not-found')
  getService(@Param('service') service: string): Promise<ServiceView> {
    return this.services.get(service);
  }

  /**
   * Registers the endpoints of an OpenAPI document of up to 30 MB. Keys can be granted these endpoints at once.
   * Endpoints that the document no longer has are denied at once; their grants work again if a later document has them.
   * Use `dryRun` first: the response shows the difference and the affected keys.
   *
   * If the scope or the Application parameter of an endpoint changes, it is denied to the keys that hold it until an
   * admin confirms the change. `changedGrants` lists each key and change. To confirm them, send its `digest` as
   * `confirmChanges`.
   */
  @Put(':service')
  @ServiceParameter()
  @UnparsedJsonBody(BODY_BYTES_MAX)
  @AdminOnly("Register a service's endpoints")
  @ApiBody({ type: NewService })
  @ApiResponse({
    status: 200,
    type: ServiceDifference,
    description: 'The service existed already, or this was a dry run.',
  })
  @ApiResponse({ status: 201, type: ServiceDifference, description: 'The service is new.' })
  @Problems('openapi-invalid', 'service-conflict', 'changes-not-confirmed', 'too-busy')
  async putService(
    @CurrentCaller() caller: Caller,
    @Param('service') service: string,
    @Query() { dryRun }: ServiceQuery,
    @Body() body: Buffer,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ServiceDifference> {
    const { created, difference } = await this.services.put(caller, service, body, { dryRun });
    response.status(created ? 201 : 200);
    return difference;
  }

  /** The endpoints of the service are denied at once, also to keys that hold them. */
  @Delete(':service')
  @ServiceParameter()
  @HttpCode(204)
  @AdminOnly('Remove a service')
  @Problems('service-not-found')
  @TellsKeysAffected('keys hold an endpoint of the service')
  deleteService(
    @CurrentCaller() caller: Caller,
    @Param('service') service: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    return tellKeysAffected(response, this.services.delete(caller, service));
  }
}
