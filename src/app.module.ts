import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { AccessGuard } from './access/access.guard.js';
import { AccessModule } from './access/access.module.js';
import { EndpointCatalogue } from './access/endpoint-catalogue.js';
import { ChangesModule } from './changes/changes.module.js';
import { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { DatabaseModule } from './database/database.module.js';
import { BodyInterceptor } from './http/body.interceptor.js';
import { InputPipe } from './http/input.pipe.js';
import { ProblemFilter } from './http/problem.filter.js';

/** The composition root: the only file that knows every module, and what features contribute to access. */
@Module({
  imports: [ConfigModule, DatabaseModule, AccessModule, ChangesModule],
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_INTERCEPTOR, useClass: BodyInterceptor },
    { provide: APP_PIPE, useClass: InputPipe },
    {
      provide: APP_GUARD,
      inject: [EndpointCatalogue, Config],
      useFactory: (catalogue: EndpointCatalogue, config: Config) =>
        new AccessGuard(catalogue, [], config.DECISION_WAIT_MS),
    },
  ],
})
export class AppModule {}
