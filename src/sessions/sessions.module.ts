import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../users/users.module.js';
import { SessionAuthenticator } from './session-authenticator.js';
import { Session } from './session.entity.js';
import { SessionsController } from './sessions.controller.js';
import { SessionsService } from './sessions.service.js';
import { SignInAddress, SignInAttempt } from './sign-in-attempt.entity.js';

/** Signing in and out. */
@Module({
  imports: [TypeOrmModule.forFeature([Session, SignInAttempt, SignInAddress]), UsersModule],
  controllers: [SessionsController],
  providers: [SessionAuthenticator, SessionsService],
  exports: [SessionAuthenticator],
})
export class SessionsModule {}
