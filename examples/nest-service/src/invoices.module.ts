import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { InvoicesController } from './invoices.controller.js';
import { LatchkeyGuard } from './latchkey.guard.js';

/** Applies the guard to every route, including routes that are added later. */
@Module({
  controllers: [InvoicesController],
  providers: [{ provide: APP_GUARD, useClass: LatchkeyGuard }],
})
export class InvoicesModule {}
