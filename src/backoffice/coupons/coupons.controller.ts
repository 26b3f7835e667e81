import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiNoContentResponse, ApiOkResponse } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { CurrentCaller, KeyAccess } from '../../access/access.decorators.js';
import type { Caller } from '../../access/caller.js';
import type { Scan } from '../../database/reading/scan-turns.js';
import { Scanning } from '../../database/reading/scanning.decorator.js';
import { StreamedBody } from '../../input/body.js';
import { IdPipe } from '../../input/id.pipe.js';
import { type Tag, Tagged } from '../../openapi/tag.decorator.js';
import { Problems } from '../../problems/problems.decorator.js';
import { CouponDeletion } from './coupon-deletion.js';
import { CouponGeneration } from '../coupon-generation/coupon-generation.js';
import { CouponImportService } from '../coupon-import/coupon-import.service.js';
import { CouponFilters, CouponQuery } from './coupon-filters.dto.js';
import {
  CouponCreationQuery,
  CouponImportQuery,
  CouponImportView,
  CouponPage,
  CouponUpdate,
  CouponUpload,
  CouponView,
  GeneratedCoupons,
  NewCoupons,
} from './coupons.dto.js';
import { CouponsService } from './coupons.service.js';

/** The tag of operations on coupons. */
export const COUPONS_TAG: Tag = {
  name: 'Coupons',
  description: 'The coupon codes of a campaign: import, generate, list, change, export.',
  place: 70,
  examples: {
    'import-invalid': {
      detail: 'Line 3: expirydate must be an RFC 3339 date-time.',
      errors: [{ line: 3, detail: 'expirydate must be an RFC 3339 date-time' }],
    },
    'coupon-exists': {
      detail: 'Line 17: the code "SUMMER-7F3K" exists in this Application already.',
      errors: [{ line: 17, detail: 'the code "SUMMER-7F3K" exists in this Application already' }],
    },
  },
};

@Tagged(COUPONS_TAG)
@Controller('v1/applications/:applicationId/campaigns/:campaignId')
export class CouponsController {
  constructor(
    private readonly coupons: CouponsService,
    private readonly imports: CouponImportService,
    private readonly generation: CouponGeneration,
    private readonly deletion: CouponDeletion,
  ) {}

  /**
   * The import is all or nothing. If the file has a fault, or a code already exists in the Application, nothing is
   * imported.
   *
   * The file is CSV: commas, quotes as in RFC 4180, UTF-8 with or without byte-order mark, lines ending with LF or
   * CRLF. The first line names the columns, in any order:
   *
   * - `value`: the code, 3 to 100 characters; the only required column
   * - `expirydate`, `startdate`: RFC 3339 times
   * - `limitval`: how often the coupon can be redeemed; 0 = unlimited; default 1
   * - `discountlimit`: a decimal number
   * - `recipientintegrationid`: the only customer who may use the coupon
   * - `attributes`: a JSON object
   * - `reservation_limitval`, `is_reservation_mandatory`
   */
  @Post('import_coupons')
  @HttpCode(200)
  @KeyAccess('Import coupons from a CSV file', { session: 'any' })
  @Problems(
    'campaign-not-found',
    'media-type-unsupported',
    'upload-malformed',
    'upload-missing',
    'import-invalid',
    'coupon-exists',
    'body-incomplete',
    'body-too-large',
    'request-timeout',
    'too-busy',
    'shutting-down',
  )
  @StreamedBody()
  @ApiConsumes('multipart/form-data')
  @ApiBody({ type: CouponUpload })
  importCoupons(
    @CurrentCaller() caller: Caller,
    @Param('applicationId', IdPipe) applicationId: number,
    @Param('campaignId', IdPipe) campaignId: number,
    @Query() query: CouponImportQuery,
    @Req() request: Request,
  ): Promise<CouponImportView> {
    const target = { applicationId, campaignId, skipDuplicates: query.skipDuplicates === 'true' };
    return this.imports.import(caller, target, request);
  }

  /** The codes are random, and unique in the Application. With `silent=yes` the response is an empty 204. */
  @Post('coupons')
  @HttpCode(200)
  @KeyAccess('Generate coupons', { session: 'any' })
  @Problems('campaign-not-found', 'pattern-too-narrow', 'too-busy')
  @ApiOkResponse({ type: GeneratedCoupons })
  @ApiNoContentResponse({
    description: 'The coupons were created. With `silent=yes` the response does not contain them.',
  })
  async createCoupons(
    @CurrentCaller() caller: Caller,
    @Param('applicationId', IdPipe) applicationId: number,
    @Param('campaignId', IdPipe) campaignId: number,
    @Query() query: CouponCreationQuery,
    @Body() request: NewCoupons,
    @Res({ passthrough: true }) response: Response,
  ): Promise<GeneratedCoupons | undefined> {
    const silent = query.silent === 'yes';
    response.status(silent ? 204 : 200);
    return this.generation.generate(caller, { applicationId, campaignId }, request, { silent });
  }

  /** The response contains no total number, so that it is fast for any number of coupons. */
  @Get('coupons/no_total')
  @KeyAccess('List the coupons of a campaign', { session: 'any' })
  @Problems('campaign-not-found')
  getCouponsWithoutTotalCount(
    @Param('applicationId', IdPipe) applicationId: number,
    @Param('campaignId', IdPipe) campaignId: number,
    @Query() query: CouponQuery,
    @Scanning() scan: Scan,
  ): Promise<CouponPage> {
    return this.coupons.list({ applicationId, campaignId }, query, scan);
  }

  /** Fields that the request does not name stay unchanged. */
  @Put('coupons/:couponId')
  @KeyAccess('Update a coupon', { session: 'any' })
  @Problems('campaign-not-found', 'coupon-not-found')
  updateCoupon(
    @CurrentCaller() caller: Caller,
    @Param('applicationId', IdPipe) applicationId: number,
    @Param('campaignId', IdPipe) campaignId: number,
    @Param('couponId', IdPipe) couponId: number,
    @Body() request: CouponUpdate,
  ): Promise<CouponView> {
    return this.coupons.update(caller, { applicationId, campaignId }, couponId, request);
  }

  /** `couponId` is the id of the coupon, not its code. */
  @Delete('coupons/:couponId')
  @HttpCode(204)
  @KeyAccess('Delete a coupon', { session: 'any' })
  @Problems('campaign-not-found', 'coupon-not-found')
  deleteCoupon(
    @CurrentCaller() caller: Caller,
    @Param('applicationId', IdPipe) applicationId: number,
    @Param('campaignId', IdPipe) campaignId: number,
    @Param('couponId', IdPipe) couponId: number,
  ): Promise<void> {
    return this.coupons.delete(caller, { applicationId, campaignId }, couponId);
  }

  /**
   * Deletes every coupon of the campaign that matches all filters. Without filters, it deletes all coupons. Very many
   * coupons take a while, and disappear gradually. If you get no response, repeat the request.
   */
  @Delete('coupons')
  @HttpCode(204)
  @KeyAccess('Delete coupons', { session: 'any' })
  @Problems('campaign-not-found', 'shutting-down')
  deleteCoupons(
    @CurrentCaller() caller: Caller,
    @Param('applicationId', IdPipe) applicationId: number,
    @Param('campaignId', IdPipe) campaignId: number,
    @Query() filters: CouponFilters,
  ): Promise<void> {
    return this.deletion.delete(caller, { applicationId, campaignId }, filters);
  }
}
