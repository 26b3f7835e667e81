import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { InvoicesController } from './invoices.controller.js';
import { LatchkeyGuard } from './latchkey.guard.js';

/** The guard stands before every route, also before those that somebody adds later. */
@Module({
  controllers: [InvoicesController],
  providers: [{ provide: APP_GUARD, useClass: LatchkeyGuard }],
})
export class InvoicesModule {}
