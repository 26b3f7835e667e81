import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { AdminOnly, CurrentCaller, KeyAccess } from '../access/access.decorators.js';
import type { Caller } from '../access/caller.js';
import type { Scan } from '../database/reading/scan-turns.js';
import { Scanning } from '../database/reading/scanning.decorator.js';
import { IdPipe } from '../input/id.pipe.js';
import { Tagged } from '../openapi/tag.decorator.js';
import { Problems } from '../problems/problems.decorator.js';
import {
  ApplicationPage,
  ApplicationQuery,
  ApplicationUpdate,
  ApplicationView,
  NewApplication,
} from './applications.dto.js';
import { ApplicationsService } from './applications.service.js';

@Tagged({
  name: 'Applications',
  description: 'What keys can be limited to. Campaigns and coupons belong to one Application.',
  place: 30,
  ids: { applicationId: 'Application' },
  examples: {
    'application-not-found': { detail: 'There is no Application 2.' },
    'application-in-use': { detail: 'Application 1 still has campaigns: delete them first.' },
    'application-name-taken': { detail: 'Another Application is called "Web shop", if case is ignored.' },
  },
})
@Controller('v1/applications')
export class ApplicationsController {
  constructor(private readonly applications: ApplicationsService) {}

  @Post()
  @AdminOnly('Create an Application')
  @Problems('application-name-taken')
  createApplication(@CurrentCaller() caller: Caller, @Body() request: NewApplication): Promise<ApplicationView> {
    return this.applications.create(caller, request);
  }

  @Get()
  @KeyAccess('List Applications', { session: 'any' })
  getApplications(@Query() query: ApplicationQuery, @Scanning() scan: Scan): Promise<ApplicationPage> {
    return scan.inTurn(() => this.applications.list(query));
  }

  @Get(':applicationId')
  @KeyAccess('Get an Application', { session: 'any' })
  @Problems('application-not-found')
  getApplication(@Param('applicationId', IdPipe) applicationId: number): Promise<ApplicationView> {
    return this.applications.show(applicationId);
  }

  /** Fields that the request does not name stay unchanged. */
  @Put(':applicationId')
  @AdminOnly('Update an Application')
  @Problems('application-not-found', 'application-name-taken')
  updateApplication(
    @CurrentCaller() caller: Caller,
    @Param('applicationId', IdPipe) applicationId: number,
    @Body() request: ApplicationUpdate,
  ): Promise<ApplicationView> {
    return this.applications.update(caller, applicationId, request);
  }

  /**
   * An Application that still has campaigns cannot be deleted. Keys that were limited to it lose it and gain nothing. A
   * key whose last Application is deleted opens nothing.
   */
  @Delete(':applicationId')
  @HttpCode(204)
  @AdminOnly('Delete an Application')
  @Problems('application-not-found', 'application-in-use')
  deleteApplication(
    @CurrentCaller() caller: Caller,
    @Param('applicationId', IdPipe) applicationId: number,
  ): Promise<void> {
    return this.applications.delete(caller, applicationId);
  }
}
