import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApplicationsModule } from '../applications/applications.module.js';
import { ChangesModule } from '../changes/changes.module.js';
import { Campaign } from './campaign.entity.js';
import { Coupon, CouponImport } from './coupon.entity.js';

/** Campaigns and their coupons: a coupon cannot outlive its campaign. */
@Module({
  imports: [TypeOrmModule.forFeature([Campaign, Coupon, CouponImport]), ApplicationsModule, ChangesModule],
})
export class CampaignsModule {}
