import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { CurrentCaller, KeyAccess } from '../../access/access.decorators.js';
import type { Caller } from '../../access/caller.js';
import type { Scan } from '../../database/reading/scan-turns.js';
import { Scanning } from '../../database/reading/scanning.decorator.js';
import { IdPipe } from '../../input/id.pipe.js';
import { Tagged } from '../../openapi/tag.decorator.js';
import { Problems } from '../../problems/problems.decorator.js';
import { CampaignDeletion } from './campaign-deletion.js';
import { CampaignQuery } from './campaign-list.dto.js';
import { CampaignPage, CampaignRequest, CampaignView } from './campaigns.dto.js';
import { CampaignsService } from './campaigns.service.js';

@Tagged({
  name: 'Campaigns',
  description: 'The campaigns of an Application: the work that keys are for.',
  place: 60,
  examples: {
    'campaign-not-found': { detail: 'There is no campaign 8 in Application 1.' },
  },
})
@Controller('v1/applications/:applicationId/campaigns')
export class CampaignsController {
  constructor(
    private readonly campaigns: CampaignsService,
    private readonly deletion: CampaignDeletion,
  ) {}

  @Post()
  @KeyAccess('Create a campaign', { session: 'any' })
  @Problems('application-not-found')
  createCampaign(
    @CurrentCaller() caller: Caller,
    @Param('applicationId', IdPipe) applicationId: number,
    @Body() request: CampaignRequest,
  ): Promise<CampaignView> {
    return this.campaigns.create(caller, applicationId, request);
  }

  @Get()
  @KeyAccess('List campaigns', { session: 'any' })
  @Problems('application-not-found')
  getCampaigns(
    @Param('applicationId', IdPipe) applicationId: number,
    @Query() query: CampaignQuery,
    @Scanning() scan: Scan,
  ): Promise<CampaignPage> {
    return scan.inTurn(() => this.campaigns.list(applicationId, query));
  }

  @Get(':campaignId')
  @KeyAccess('Get a campaign', { session: 'any' })
  @Problems('campaign-not-found')
  getCampaign(
    @Param('applicationId', IdPipe) applicationId: number,
    @Param('campaignId', IdPipe) campaignId: number,
  ): Promise<CampaignView> {
    return this.campaigns.show(applicationId, campaignId);
  }

  /** Fields that the request does not name stay unchanged. */
  @Put(':campaignId')
  @KeyAccess('Update a campaign', { session: 'any' })
  @Problems('campaign-not-found')
  updateCampaign(
    @CurrentCaller() caller: Caller,
    @Param('applicationId', IdPipe) applicationId: number,
    @Param('campaignId', IdPipe) campaignId: number,
    @Body() request: CampaignRequest,
  ): Promise<CampaignView> {
    return this.campaigns.update(caller, applicationId, campaignId, request);
  }

  /**
   * The coupons of the campaign are deleted too. The campaign disappears at once. The response comes when the last
   * coupon is deleted, which takes a while if there are very many. If you get no response, repeat the request: the
   * deletion continues.
   */
  @Delete(':campaignId')
  @HttpCode(204)
  @KeyAccess('Delete a campaign', { session: 'any' })
  @Problems('campaign-not-found', 'shutting-down')
  deleteCampaign(
    @CurrentCaller() caller: Caller,
    @Param('applicationId', IdPipe) applicationId: number,
    @Param('campaignId', IdPipe) campaignId: number,
  ): Promise<void> {
    return this.deletion.delete(caller, applicationId, campaignId);
  }
}
