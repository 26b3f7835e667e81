import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../users/users.module.js';
import { ExpiredRows } from './expired-rows.js';
import { SessionAuthenticator } from './session-authenticator.js';
import { SessionAuthority } from './session-authority.js';
import { Session } from './session.entity.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsService } from './sessions.service.js';

/** Sign-in and sign-out. */
@Module({
  imports: [TypeOrmModule.forFeature([Session]), UsersModule],
  controllers: [SessionsController],
  providers: [SessionAuthenticator, SessionAuthority, SessionsService, ExpiredRows],
  exports: [SessionAuthenticator, SessionAuthority],
})
export class SessionsModule {}
