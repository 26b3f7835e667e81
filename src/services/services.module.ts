import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChangesModule } from '../changes/changes.module.js';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { CatalogueRevision, Service, ServiceEndpoint } from './service.entity.js';

/** Other services and their endpoints in the catalogue. */
@Module({
  imports: [TypeOrmModule.forFeature([Service, ServiceEndpoint, CatalogueRevision]), ApiKeysModule, ChangesModule],
})
export class ServicesModule {}
