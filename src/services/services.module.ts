import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { OPENAPI_WORKER, OpenApiReader } from './documents/openapi-reader.js';
import { ServiceCatalogue } from './service-catalogue.js';
import { CatalogueRevision, Service, ServiceEndpoint } from './service.entity.js';
import { ServicesController } from './services.controller.js';
import { ServicesService } from './services.service.js';

/** Other services and their endpoints in the catalogue. */
@Module({
  imports: [TypeOrmModule.forFeature([Service, ServiceEndpoint, CatalogueRevision]), ApiKeysModule],
  controllers: [ServicesController],
  providers: [
    ServicesService,
    ServiceCatalogue,
    OpenApiReader,
    { provide: OPENAPI_WORKER, useValue: new URL('./documents/openapi-worker.js', import.meta.url) },
  ],
  exports: [ServiceCatalogue],
})
export class ServicesModule {}
