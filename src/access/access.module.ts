import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Authorizer } from './authorizer.js';
import { EndpointCatalogue } from './endpoint-catalogue.js';

/**
 * Gives every module the catalogue of endpoints and the `Authorizer`. What features contribute to them comes from the app
 * module, by DI tokens.
 */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [EndpointCatalogue, Authorizer],
  exports: [EndpointCatalogue, Authorizer],
})
export class AccessModule {}
