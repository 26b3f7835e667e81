import { Global, Module } from '@nestjs/common';
import { ConfigModule as EnvironmentModule, ConfigService } from '@nestjs/config';
import { Clock } from './clock.js';
import { Config, readConfig } from './config.js';

/** Provides the validated `Config` and the `Clock` to every module. */
@Global()
@Module({
  imports: [
    EnvironmentModule.forRoot({
      validate: (environment) => ({ latchkey: readConfig(environment) }),
      skipProcessEnv: true,
    }),
  ],
  providers: [
    {
      provide: Config,
      inject: [ConfigService],
      useFactory: (environment: ConfigService<{ latchkey: Config }, true>) => environment.get('latchkey'),
    },
    Clock,
  ],
  exports: [Config, Clock],
})
export class ConfigModule {}
