import { Controller, Get, Param, Post, Req } from '@nestjs/common';
import type { Request } from 'express';
import { callerOf } from './latchkey.guard.js';

@Controller()
export class InvoicesController {
  @Get('invoices/:invoiceId')
  getInvoice(@Param('invoiceId') invoiceId: string, @Req() request: Request): unknown {
    return { invoiceId, caller: callerOf(request) };
  }

  @Get('applications/:applicationId/invoices')
  listInvoices(@Req() request: Request): unknown {
    return { invoices: [], caller: callerOf(request) };
  }

  @Post('applications/:applicationId/invoices')
  writeInvoice(@Req() request: Request): unknown {
    return { written: true, caller: callerOf(request) };
  }
}
