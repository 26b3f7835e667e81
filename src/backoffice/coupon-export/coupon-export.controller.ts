import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOkResponse } from '@nestjs/swagger';
import type { Response } from 'express';
import { CurrentCaller, KeyAccess } from '../../access/access.decorators.js';
import type { Caller } from '../../access/caller.js';
import type { Scan } from '../../database/reading/scan-turns.js';
import { Scanning } from '../../database/reading/scanning.decorator.js';
import { IdPipe } from '../../input/id.pipe.js';
import { Tagged } from '../../openapi/tag.decorator.js';
import { Problems } from '../../problems/problems.decorator.js';
import { CouponExportService } from './coupon-export.service.js';
import { COUPONS_TAG } from '../coupons/coupons.controller.js';
import { CouponExportQuery } from '../coupons/coupon-filters.dto.js';

const EXAMPLE = `value,expirydate,startdate,recipientintegrationid,limitval,discountlimit,attributes,reservation_limitval,is_reservation_mandatory,id,created,campaignid,batchid,counter
SUMMER-7KX2,2027-06-30T22:00:00.000Z,,customer-1093,1,2.5,"{""channel"":""newsletter""}",,true,4711,2026-11-23T12:00:00.000Z,7,5f0c4a3e-9d3b-4b57-8a35-9f4cf0f3a8a1,0
`;

@Tagged(COUPONS_TAG)
@Controller('v1/applications/:applicationId')
export class CouponExportController {
  constructor(private readonly exports: CouponExportService) {}

  /**
   * The file has the columns of the import, and `id`, `created`, `campaignid`, `batchid` and `counter`. An import of
   * this file loses nothing. A spreadsheet could run a formula at the start of a cell, or after a comma, semicolon,
   * tab, `|` or line break. The export puts an apostrophe in front of it, and the import removes the apostrophe.
   */
  @Get('export_coupons')
  @KeyAccess('Export coupons as a CSV file', { session: 'any' })
  @Problems('application-not-found', 'campaign-not-found')
  @ApiOkResponse({
    description: 'The coupons, as a file.',
    headers: {
      'Content-Disposition': {
        description: 'That it is a file, and how it is called (RFC 6266).',
        schema: { type: 'string', example: 'attachment; filename="coupons.csv"' },
      },
    },
    content: { 'application/csv': { schema: { type: 'string' }, example: EXAMPLE } },
  })
  exportCoupons(
    @CurrentCaller() caller: Caller,
    @Param('applicationId', IdPipe) applicationId: number,
    @Query() query: CouponExportQuery,
    @Scanning() scan: Scan,
    @Res() response: Response,
  ): Promise<void> {
    return this.exports.export(caller, applicationId, query, scan, response);
  }
}
