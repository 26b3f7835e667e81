import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApplicationsModule } from '../applications/applications.module.js';
import { ChangesModule } from '../changes/changes.module.js';
import { CampaignDeletion } from './campaign-deletion.js';
import { Campaign } from './campaign.entity.js';
import { CampaignsController } from './campaigns.controller.js';
import { CampaignsService } from './campaigns.service.js';
import { Coupon, CouponImport } from './coupon.entity.js';

/** Campaigns and their coupons: a coupon cannot outlive its campaign. */
@Module({
  imports: [TypeOrmModule.forFeature([Campaign, Coupon, CouponImport]), ApplicationsModule, ChangesModule],
  controllers: [CampaignsController],
  providers: [CampaignsService, CampaignDeletion],
})
export class CampaignsModule {}
