import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { UsersModule } from '../users/users.module.js';
import { SessionAuthenticator } from './session-authenticator.js';
import { Session } from './session.entity.js';
import { SignInAddress, SignInAttempt } from './sign-in-attempt.entity.js';

/** Signing in and out. */
@Module({
  imports: [TypeOrmModule.forFeature([Session, SignInAttempt, SignInAddress]), UsersModule],
  providers: [SessionAuthenticator],
  exports: [SessionAuthenticator],
})
export class SessionsModule {}
