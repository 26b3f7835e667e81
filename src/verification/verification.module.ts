import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { ServicesModule } from '../services/services.module.js';

/** The decision over HTTP: verifications and forward auth. */
@Module({
  imports: [ApiKeysModule, ServicesModule],
})
export class VerificationModule {}
