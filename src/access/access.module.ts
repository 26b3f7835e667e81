import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Authorizer } from './authorizer.js';
import { EndpointCatalogue } from './endpoint-catalogue.js';

/**
 * Provides every module with the catalogue of endpoints and the `Authorizer`. The app module supplies what features
 * contribute to them, through DI tokens.
 */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [EndpointCatalogue, Authorizer],
  exports: [EndpointCatalogue, Authorizer],
})
export class AccessModule {}
