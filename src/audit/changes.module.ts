import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChangeList } from './change-list.js';
import { Change } from './change.entity.js';
import { ChangesController } from './changes.controller.js';
import { ChangesService } from './changes.service.js';

/** The audit log. */
@Module({
  imports: [TypeOrmModule.forFeature([Change])],
  controllers: [ChangesController],
  providers: [ChangesService, ChangeList],
  exports: [ChangesService],
})
export class ChangesModule {}
