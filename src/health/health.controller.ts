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

  /** It looks at nothing but the process itself: if this is not answered, start it anew. */
  @Get('live')
  @Public('Whether the process is alive')
  isLive(): Liveness {
    return this.health.liveness();
  }

  /**
   * Ready means that the database can be reached, has the schema that this version needs, and that the process is not
   * shutting down. If it is not, send requests elsewhere; it gets ready again by itself.
   */
  @Get('ready')
  @Public('Whether the process should be sent requests')
  @Problems('not-ready')
  isReady(): Promise<Readiness> {
    return this.health.readiness();
  }
}
