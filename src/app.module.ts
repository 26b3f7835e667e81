import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { AccessGuard } from './access/access.guard.js';
import { AccessModule } from './access/access.module.js';
import { AUTHENTICATORS } from './access/authenticator.js';
import { DECISION_OBSERVER } from './access/decision-observer.js';
import { CATALOGUE_SOURCES, EndpointCatalogue } from './access/endpoint-catalogue.js';
import { SERVICE_ENDPOINTS } from './access/service-endpoints.js';
import { ApiKeyAuthenticator } from './api-keys/api-key-authenticator.js';
import { ApiKeyAuthority } from './api-keys/api-key-authority.js';
import { ApiKeysModule } from './api-keys/api-keys.module.js';
import { KeyCounts } from './api-keys/key-counts.js';
import { KEY_CREDENTIAL } from './api-keys/key-credential.js';
import { UsageRecorder } from './api-keys/usage/usage-recorder.js';
import { APPLICATION_KEYS } from './applications/application-keys.js';
import { ApplicationsModule } from './applications/applications.module.js';
import { AuthorityInterceptor } from './authority/authority.interceptor.js';
import { AuthorityModule } from './authority/authority.module.js';
import { AUTHORITIES, type Authorities } from './authority/principal-authority.js';
import { CampaignsModule } from './backoffice/campaigns.module.js';
import { ChangesModule } from './audit/changes.module.js';
import { Config } from './config/config.js';
import { ConfigModule } from './config/config.module.js';
import { DatabaseModule } from './database/database.module.js';
import { translateDriverError } from './database/driver-errors.js';
import { InputInterceptor } from './input/input.interceptor.js';
import { FRONT_TEXT } from './front-text.js';
import { InputPipe } from './input/input.pipe.js';
import { HealthModule } from './health/health.module.js';
import { METRICS_OPERATION } from './health/metrics-operation.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { RequestModule } from './request/request.module.js';
import {
  DOCUMENT_FRONT,
  DOCUMENTED_CREDENTIALS,
  type DocumentedCredentials,
  RAW_OPERATIONS,
  type RawOperation,
} from './openapi/document-contributions.js';
import { ServiceCatalogue } from './services/service-catalogue.js';
import { ServicesModule } from './services/services.module.js';
import { SessionAuthenticator } from './sessions/session-authenticator.js';
import { SessionAuthority } from './sessions/session-authority.js';
import { SESSION_CREDENTIAL } from './sessions/session-credential.js';
import { SessionsModule } from './sessions/sessions.module.js';
import { USER_KEY_COUNTS } from './users/user-key-counts.js';
import { UsersModule } from './users/users.module.js';
import { FORWARD_AUTH_OPERATION } from './verification/forward-auth-operation.js';
import { VerificationModule } from './verification/verification.module.js';

/**
 * Provides what features contribute to modules that do not know them: access, authority, users, Applications and the
 * document.
 */
@Global()
@Module({
  imports: [SessionsModule, ApiKeysModule, ServicesModule],
  providers: [
    {
      provide: AUTHENTICATORS,
      inject: [SessionAuthenticator, ApiKeyAuthenticator],
      useFactory: (...authenticators: unknown[]) => authenticators,
    },
    {
      provide: AUTHORITIES,
      inject: [SessionAuthority, ApiKeyAuthority],
      useFactory: (user: SessionAuthority, apiKey: ApiKeyAuthority): Authorities => ({ user, 'api-key': apiKey }),
    },
    { provide: CATALOGUE_SOURCES, inject: [ServiceCatalogue], useFactory: (...sources: unknown[]) => sources },
    { provide: SERVICE_ENDPOINTS, useExisting: ServiceCatalogue },
    { provide: DECISION_OBSERVER, useExisting: UsageRecorder },
    { provide: USER_KEY_COUNTS, useExisting: KeyCounts },
    { provide: APPLICATION_KEYS, useExisting: KeyCounts },
    { provide: DOCUMENT_FRONT, useValue: FRONT_TEXT },
    {
      provide: DOCUMENTED_CREDENTIALS,
      useValue: { session: SESSION_CREDENTIAL, key: KEY_CREDENTIAL } satisfies DocumentedCredentials,
    },
    {
      provide: RAW_OPERATIONS,
      inject: [Config],
      useFactory: ({ METRICS_ENABLED }: Config): RawOperation[] => [
        FORWARD_AUTH_OPERATION,
        ...(METRICS_ENABLED ? [METRICS_OPERATION] : []),
      ],
    },
  ],
  exports: [
    AUTHENTICATORS,
    AUTHORITIES,
    CATALOGUE_SOURCES,
    SERVICE_ENDPOINTS,
    DECISION_OBSERVER,
    USER_KEY_COUNTS,
    APPLICATION_KEYS,
    DOCUMENT_FRONT,
    DOCUMENTED_CREDENTIALS,
    RAW_OPERATIONS,
  ],
})
class ContributionsModule {}

/** The composition root, the only file that knows every module. Interceptors run in the order of this list. */
@Module({
  imports: [
    ConfigModule,
    RequestModule,
    MetricsModule,
    DatabaseModule,
    AccessModule,
    AuthorityModule,
    ContributionsModule,
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
    { provide: APP_INTERCEPTOR, useClass: InputInterceptor },
    { provide: APP_INTERCEPTOR, useClass: AuthorityInterceptor },
    { provide: APP_PIPE, useClass: InputPipe },
    { provide: APP_GUARD, useClass: AccessGuard },
  ],
})
export class AppModule {}
