import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ChangesModule } from '../../audit/changes.module.js';
import { ConfigModule } from '../../config/config.module.js';
import { AUTHORITIES } from '../../authority/principal-authority.js';
import { Transactions } from '../../authority/transactions.js';
import { DatabaseModule } from '../../database/database.module.js';
import { Problem } from '../../problems/problem.js';
import { PasswordCheck } from '../sign-in/password-check.js';
import { HASH_COST, OWASP_COST, Passwords } from './passwords.js';
import { SignInAddress, SignInAttempt } from '../sign-in/sign-in-attempt.entity.js';
import { SignInThrottle } from '../sign-in/sign-in-throttle.js';
import { UserPasswordsService } from './user-passwords.service.js';
import { User } from '../user.entity.js';

/** The part of the application that a password reset needs: no server, no first admin. */
@Module({
  imports: [
    ConfigModule,
    DatabaseModule,
    TypeOrmModule.forFeature([User, SignInAttempt, SignInAddress]),
    ChangesModule,
  ],
  providers: [
    UserPasswordsService,
    PasswordCheck,
    { provide: HASH_COST, useValue: OWASP_COST },
    Passwords,
    SignInThrottle,
    Transactions,
    // No requests arrive here, so that no authority of a caller has to be checked.
    { provide: AUTHORITIES, useValue: {} },
  ],
})
class ResetPasswordModule {}

/**
 * Runs `node dist/main.js reset-password <email>`. It gives a user a new password, ends their sessions, and prints the
 * password to stdout, even if stdout is not a terminal. Returns the exit code.
 */
export async function resetPassword(parameters: readonly string[]): Promise<number> {
  const [email, ...more] = parameters;
  if (email === undefined || more.length > 0) {
    process.stderr.write('Usage: node dist/main.js reset-password <email>\n');
    return 2;
  }
  // Nest would log a failure with its stack, but `main.ts` already reports it.
  const app = await NestFactory.createApplicationContext(ResetPasswordModule, { logger: false, abortOnError: false });
  try {
    const { password, state } = await app.get(UserPasswordsService).reset(email);
    process.stdout.write(`${password}\n`);
    process.stderr.write(
      `This is the new password of ${email}; all of their sessions have ended.${state === 'active' ? '' : ' The user is deactivated, and stays so.'}\n`,
    );
    return 0;
  } catch (error) {
    if (!(error instanceof Problem)) {
      throw error;
    }
    process.stderr.write(`${error.detail}\n`);
    return 1;
  } finally {
    await app.close();
  }
}
