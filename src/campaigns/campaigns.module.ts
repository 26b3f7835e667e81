import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApplicationsModule } from '../applications/applications.module.js';
import { CampaignDeletion } from './campaign-deletion.js';
import { Campaign } from './campaign.entity.js';
import { CampaignsController } from './campaigns.controller.js';
import { CampaignsService } from './campaigns.service.js';
import { CouponDeletion } from './coupon-deletion.js';
import { CouponExportController } from './coupon-export.controller.js';
import { CouponExportService } from './coupon-export.service.js';
import { CouponGeneration } from './coupon-generation.js';
import { CouponImportService } from './coupon-import.service.js';
import { CouponTurns } from './coupon-turns.js';
import { Coupon, CouponImport } from './coupon.entity.js';
import { CouponsController } from './coupons.controller.js';
import { CouponsService } from './coupons.service.js';

/** Campaigns and their coupons: a coupon cannot outlive its campaign. */
@Module({
  imports: [TypeOrmModule.forFeature([Campaign, Coupon, CouponImport]), ApplicationsModule],
  controllers: [CampaignsController, CouponsController, CouponExportController],
  providers: [
    CampaignsService,
    CampaignDeletion,
    CouponsService,
    CouponImportService,
    CouponGeneration,
    CouponTurns,
    CouponDeletion,
    CouponExportService,
  ],
})
export class CampaignsModule {}
