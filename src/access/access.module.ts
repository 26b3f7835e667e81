import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { CallerChecks } from './caller-check.js';
import { EndpointCatalogue } from './endpoint-catalogue.js';

/**
 * Gives every module the catalogue of endpoints and the checks of callers. The guard itself is named in the app module,
 * with its authenticators.
 */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [EndpointCatalogue, CallerChecks],
  exports: [EndpointCatalogue, CallerChecks],
})
export class AccessModule {}
