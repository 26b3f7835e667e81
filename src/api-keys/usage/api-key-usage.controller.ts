import { Controller, Get, Param, Query } from '@nestjs/common';
import { AdminOnly } from '../../access/access.decorators.js';
import type { Scan } from '../../database/reading/scan-turns.js';
import { Scanning } from '../../database/reading/scanning.decorator.js';
import { IdPipe } from '../../input/id.pipe.js';
import { Tagged } from '../../openapi/tag.decorator.js';
import { Problems } from '../../problems/problems.decorator.js';
import { ApiKeyUsagePage, ApiKeyUsageQuery } from './api-key-usage.dto.js';
import { API_KEYS_TAG } from '../api-keys.controller.js';
import { ApiKeyUsageService } from './api-key-usage.service.js';

@Tagged(API_KEYS_TAG)
@Controller('v1/api_keys/:apiKeyId/usage')
export class ApiKeyUsageController {
  constructor(private readonly usage: ApiKeyUsageService) {}

  /**
   * Returns how often the key was used, by day, endpoint, Application and outcome, over all replicas. It also lists the
   * granted endpoints that were never used.
   */
  @Get()
  @AdminOnly('Show what a key was used for')
  @Problems('api-key-not-found')
  getApiKeyUsage(
    @Param('apiKeyId', IdPipe) apiKeyId: number,
    @Query() query: ApiKeyUsageQuery,
    @Scanning() scan: Scan,
  ): Promise<ApiKeyUsagePage> {
    return scan.inTurn(() => this.usage.show(apiKeyId, query));
  }
}
