import { Module } from '@nestjs/common';
import { VerificationsController } from './verifications.controller.js';
import { VerificationsService } from './verifications.service.js';

/** Decisions over HTTP: verifications and forward auth. */
@Module({
  controllers: [VerificationsController],
  providers: [VerificationsService],
})
export class VerificationModule {}
