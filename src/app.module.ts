import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { AccessGuard } from './access/access.guard.js';
import { AccessModule } from './access/access.module.js';
import { CallerChecks } from './access/caller-check.js';
import { EndpointCatalogue } from './access/endpoint-catalogue.js';
import { ApiKeyAuthenticator } from './api-keys/api-key-authenticator.js';
import { ApiKeyCheck } from './api-keys/api-key-check.js';
import { ApiKeysModule } from './api-keys/api-keys.module.js';
import { ApiKeysService } from './api-keys/api-keys.service.js';
import { UsageRecorder } from './api-keys/usage-recorder.js';
import { ApplicationsModule } from './applications/applications.module.js';
import { CampaignsModule } from './campaigns/campaigns.module.js';
import { ChangesModule } from './changes/changes.module.js';
import { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { DatabaseModule } from './database/database.module.js';
import { translateDriverError } from './database/driver-errors.js';
import { BodyInterceptor } from './http/body.interceptor.js';
import { InputPipe } from './http/input.pipe.js';
import { HealthModule } from './health/health.module.js';
import { ProblemFilter } from './http/problem.filter.js';
import { QueryInterceptor } from './http/query.interceptor.js';
import { Metrics } from './metrics/metrics.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { ServiceCatalogue } from './services/service-catalogue.js';
import { ServicesModule } from './services/services.module.js';
import { SessionAuthenticator } from './sessions/session-authenticator.js';
import { SessionCheck } from './sessions/session-check.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { UsersModule } from './users/users.module.js';
import { UsersService } from './users/users.service.js';
import { VerificationModule } from './verification/verification.module.js';

/** The composition root: the only file that knows every module, and what features contribute to access. */
@Module({
  imports: [
    ConfigModule,
    MetricsModule,
    DatabaseModule,
    AccessModule,
    SessionsModule,
    UsersModule,
    ApplicationsModule,
    ApiKeysModule,
    CampaignsModule,
    ChangesModule,
    ServicesModule,
    VerificationModule,
    HealthModule,
  ],
  providers: [
    {
      provide: APP_FILTER,
      inject: [EndpointCatalogue],
      useFactory: (catalogue: EndpointCatalogue) =>
        new ProblemFilter((request) => catalogue.problemOfMissing(request), translateDriverError),
    },
    { provide: APP_INTERCEPTOR, useClass: QueryInterceptor },
    { provide: APP_INTERCEPTOR, useClass: BodyInterceptor },
    { provide: APP_PIPE, useClass: InputPipe },
    {
      provide: APP_GUARD,
      inject: [EndpointCatalogue, Config, SessionAuthenticator, ApiKeyAuthenticator, UsageRecorder, Metrics],
      useFactory: (
        catalogue: EndpointCatalogue,
        config: Config,
        sessions: SessionAuthenticator,
        apiKeys: ApiKeyAuthenticator,
        usage: UsageRecorder,
        metrics: Metrics,
      ) => new AccessGuard(catalogue, [sessions, apiKeys], config.DECISION_WAIT_MS, usage, metrics.decisions('route')),
    },
  ],
})
export class AppModule {
  constructor(
    users: UsersService,
    apiKeys: ApiKeysService,
    catalogue: EndpointCatalogue,
    services: ServiceCatalogue,
    callerChecks: CallerChecks,
    sessionCheck: SessionCheck,
    apiKeyCheck: ApiKeyCheck,
  ) {
    users.contributeKeys(apiKeys);
    catalogue.contribute(services);
    callerChecks.contribute({ user: sessionCheck, 'api-key': apiKeyCheck });
  }
}
