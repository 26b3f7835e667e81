import { Controller, Get, Param } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { KeyAccess } from '../../src/access/access.decorators.js';
import { IdPipe } from '../../src/input/id.pipe.js';

@ApiTags('Reports')
@Controller('v1/applications/:applicationId/reports')
export class ReportsController {
  @Get(':reportId')
  @KeyAccess('Get a report', { session: 'any' })
  getReport(@Param('applicationId', IdPipe) applicationId: number, @Param('reportId', IdPipe) id: number) {
    return { id, applicationId };
  }
}
