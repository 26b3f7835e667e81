import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChangesModule } from '../changes/changes.module.js';
import { FirstAdmin } from './first-admin.js';
import { Passwords } from './passwords.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

/** People who can sign in. */
@Module({
  imports: [TypeOrmModule.forFeature([User]), ChangesModule],
  controllers: [UsersController],
  providers: [UsersService, Passwords, FirstAdmin],
  exports: [UsersService, Passwords],
})
export class UsersModule {}
