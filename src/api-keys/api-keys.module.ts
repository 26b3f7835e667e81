import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApplicationsModule } from '../applications/applications.module.js';
import { UsersModule } from '../users/users.module.js';
import { ApiKeyAuthenticator } from './api-key-authenticator.js';
import { ApiKeyAuthority } from './api-key-authority.js';
import { ApiKeyUsageController } from './usage/api-key-usage.controller.js';
import { ApiKeyUsage } from './usage/api-key-usage.entity.js';
import { ApiKeyUsageService } from './usage/api-key-usage.service.js';
import { ApiKey, ApiKeyApplication, ApiKeyEndpoint } from './api-key.entity.js';
import { ApiKeyViews } from './api-key-views.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { ChangedGrants } from './grants/changed-grants.js';
import { EndpointsController } from './grants/endpoints.controller.js';
import { GrantCache } from './grants/grant-cache.js';
import { KeyReader } from './key-reader.js';
import { KeyCounts } from './key-counts.js';
import { UsagePurge } from './usage/usage-purge.js';
import { UsageRecorder } from './usage/usage-recorder.js';

/** Management API keys: creates them, and reads them for decisions. */
@Module({
  imports: [
    TypeOrmModule.forFeature([ApiKey, ApiKeyApplication, ApiKeyEndpoint, ApiKeyUsage]),
    UsersModule,
    ApplicationsModule,
  ],
  controllers: [EndpointsController, ApiKeysController, ApiKeyUsageController],
  providers: [
    ApiKeysService,
    ApiKeyViews,
    ChangedGrants,
    KeyReader,
    GrantCache,
    ApiKeyAuthenticator,
    ApiKeyAuthority,
    UsageRecorder,
    UsagePurge,
    KeyCounts,
    ApiKeyUsageService,
  ],
  exports: [ApiKeysService, ApiKeyAuthenticator, ApiKeyAuthority, ChangedGrants, KeyCounts, UsageRecorder],
})
export class ApiKeysModule {}
