import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApplicationsModule } from '../applications/applications.module.js';
import { CampaignDeletion } from './campaigns/campaign-deletion.js';
import { Campaign } from './campaigns/campaign.entity.js';
import { CampaignsController } from './campaigns/campaigns.controller.js';
import { CampaignsService } from './campaigns/campaigns.service.js';
import { CouponDeletion } from './coupons/coupon-deletion.js';
import { CouponExportController } from './coupon-export/coupon-export.controller.js';
import { CouponExportService } from './coupon-export/coupon-export.service.js';
import { CouponGeneration } from './coupon-generation/coupon-generation.js';
import { CouponImportMetrics } from './coupon-import/coupon-import-metrics.js';
import { CouponImportService } from './coupon-import/coupon-import.service.js';
import { CouponTurns } from './coupons/coupon-turns.js';
import { Coupon, CouponImport } from './coupons/coupon.entity.js';
import { CouponsController } from './coupons/coupons.controller.js';
import { CouponsService } from './coupons/coupons.service.js';

/** Campaigns and their coupons. They are one module, because a coupon cannot outlive its campaign. */
@Module({
  imports: [TypeOrmModule.forFeature([Campaign, Coupon, CouponImport]), ApplicationsModule],
  controllers: [CampaignsController, CouponsController, CouponExportController],
  providers: [
    CampaignsService,
    CampaignDeletion,
    CouponsService,
    CouponImportMetrics,
    CouponImportService,
    CouponGeneration,
    CouponTurns,
    CouponDeletion,
    CouponExportService,
  ],
})
export class CampaignsModule {}
