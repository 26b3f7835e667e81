import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Public } from '../access/access.decorators.js';
import { Problems } from '../problems/problems.decorator.js';
import { Liveness, Readiness } from './health.dto.js';
import { HealthService } from './health.service.js';

@ApiTags('Health')
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  /** Checks only the process itself. If it does not respond, restart it. */
  @Get('live')
  @Public('Whether the process is alive')
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
  isReady(): Promise<Readiness> {
    return this.health.readiness();
  }
}
