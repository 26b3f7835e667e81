import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/api-keys.module.js';
import { ServicesModule } from '../services/services.module.js';
import { Judge } from './judge.js';
import { VerificationsController } from './verifications.controller.js';
import { VerificationsService } from './verifications.service.js';

/** The decision over HTTP: verifications and forward auth. */
@Module({
  imports: [ApiKeysModule, ServicesModule],
  controllers: [VerificationsController],
  providers: [Judge, VerificationsService],
  exports: [Judge],
})
export class VerificationModule {}
