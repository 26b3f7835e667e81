import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { EndpointCatalogue } from './endpoint-catalogue.js';

/** Gives every module the catalogue of endpoints. The guard itself is named in the app module, with its authenticators. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [EndpointCatalogue],
  exports: [EndpointCatalogue],
})
export class AccessModule {}
