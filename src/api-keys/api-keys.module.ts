import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApplicationsModule } from '../applications/applications.module.js';
import { ChangesModule } from '../changes/changes.module.js';
import { UsersModule } from '../users/users.module.js';
import { ApiKeyUsage } from './api-key-usage.entity.js';
import { ApiKey, ApiKeyApplication, ApiKeyEndpoint } from './api-key.entity.js';

/** Management API keys: issuing them, and reading them for decisions. */
@Module({
  imports: [
    TypeOrmModule.forFeature([ApiKey, ApiKeyApplication, ApiKeyEndpoint, ApiKeyUsage]),
    UsersModule,
    ApplicationsModule,
    ChangesModule,
  ],
})
export class ApiKeysModule {}
