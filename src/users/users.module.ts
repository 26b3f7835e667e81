import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { FirstAdmin } from './first-admin.js';
import { PasswordCheck } from './sign-in/password-check.js';
import { HASH_COST, OWASP_COST, Passwords } from './passwords/passwords.js';
import { SignInAddress, SignInAttempt } from './sign-in/sign-in-attempt.entity.js';
import { SignInThrottle } from './sign-in/sign-in-throttle.js';
import { UserPasswordsService } from './passwords/user-passwords.service.js';
import { User } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersService } from './users.service.js';

/** People who can sign in. */
@Module({
  imports: [TypeOrmModule.forFeature([User, SignInAttempt, SignInAddress])],
  controllers: [UsersController],
  providers: [
    UsersService,
    UserPasswordsService,
    { provide: HASH_COST, useValue: OWASP_COST },
    Passwords,
    PasswordCheck,
    SignInThrottle,
    FirstAdmin,
  ],
  exports: [UsersService, PasswordCheck, SignInThrottle],
})
export class UsersModule {}
