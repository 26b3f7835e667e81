import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Change } from './change.entity.js';
import { ChangesService } from './changes.service.js';

/** The audit trail. */
@Module({
  imports: [TypeOrmModule.forFeature([Change])],
  providers: [ChangesService],
  exports: [ChangesService],
})
export class ChangesModule {}
