import { Controller, Get } from '@nestjs/common';
import { Public } from '../access/access.decorators.js';
import { type Tag, Tagged } from '../openapi/tag.decorator.js';
import { Problems, ReportsDatabaseItself } from '../problems/problems.decorator.js';
import { Liveness, Readiness } from './health.dto.js';
import { HealthService } from './health.service.js';

/** The tag of operations on health. */
export const HEALTH_TAG: Tag = {
  name: 'Health',
  description: 'For load balancers and monitoring.',
  place: 110,
  examples: {
    'not-ready': { detail: 'database: It cannot be reached (decision-timeout).' },
  },
};

@Tagged(HEALTH_TAG)
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  /** Checks only the process itself. If it does not respond, restart it. */
  @Get('live')
  @Public('Whether the process is alive')
  @ReportsDatabaseItself()
  isLive(): Liveness {
    return this.health.liveness();
  }

  /**
   * Ready means that the database can be reached and has the schema of this version, and that the process is not
   * shutting down. Otherwise, send requests to another process. This one recovers by itself.
   */
  @Get('ready')
  @Public('Whether the process should be sent requests')
  @Problems('not-ready')
  @ReportsDatabaseItself()
  isReady(): Promise<Readiness> {
    return this.health.readiness();
  }
}
