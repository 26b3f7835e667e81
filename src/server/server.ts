import type { INestApplication, NestApplicationOptions } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Express } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { Authorizer } from '../access/authorizer.js';
import { EndpointCatalogue } from '../access/endpoint-catalogue.js';
import { RAW_ROUTES, refuseUndeclaredRoutes, serveRawRoute } from '../access/raw-routes.js';
import { Config } from '../config/config.js';
import { Metrics } from '../metrics/metrics.js';
import { createMetricsRoute } from '../metrics/metrics-route.js';
import { serveDocs } from '../openapi/docs.js';
import type { TrustProxy } from '../request/client-address.js';
import { Connections } from '../request/connections.js';
import { createForwardAuth } from '../verification/forward-auth.js';
import { type HttpServer, ServerAdapter } from './http-server.js';
import { listenToServer } from './request-listener.js';

/** The options of Nest for the process and for tests. */
export const APPLICATION_OPTIONS: NestApplicationOptions = {
  bodyParser: false,
  routeConflictPolicy: { duplicate: 'error', shadow: 'error' },
  routeResolutionStrategy: 'specificity',
  abortOnError: false,
};

/** Creates the adapter of Nest for the process and for tests. */
export function createServerAdapter(): ServerAdapter {
  return new ServerAdapter();
}

/** Adds everything around the controllers, makes the application ready to listen, and refuses undeclared routes. */
export async function prepareApplication(
  application: INestApplication,
  logger: Logger,
): Promise<NestExpressApplication> {
  const app = application as NestExpressApplication;
  const config = app.get(Config);
  const server = app.getHttpAdapter().getInstance() as Express;
  if (config.TRUST_PROXY !== undefined) {
    server.set('trust proxy', config.TRUST_PROXY);
  }
  app.use(
    helmet({
      contentSecurityPolicy: {
        directives: {
          defaultSrc: ["'self'"],
          fontSrc: ["'self'"],
          imgSrc: ["'self'", 'data:'],
          styleSrc: ["'self'", "'unsafe-inline'"],
          // A browser would otherwise load no scripts or styles over plain http.
          upgradeInsecureRequests: null,
        },
      },
      strictTransportSecurity: false,
      // Browsers only apply these two over TLS, and log warnings about them on plain http.
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
    }),
  );
  if (config.CORS_ORIGINS) {
    app.enableCors({
      origin: config.CORS_ORIGINS,
      exposedHeaders: ['X-Request-Id', 'X-Keys-Affected', 'Retry-After', 'WWW-Authenticate'],
    });
  }
  if (config.DOCS_ENABLED) {
    serveDocs(server, app);
  }
  if (config.METRICS_ENABLED) {
    serveRawRoute(server, RAW_ROUTES.metrics, createMetricsRoute(app.get(Metrics)));
  }
  await app.init();
  refuseUndeclaredRoutes(server, app.get(EndpointCatalogue));
  const http = app.getHttpServer() as HttpServer;
  http.maxConnections = config.CONNECTIONS_MAX;
  listenToServer(http, {
    express: server,
    forwardAuth: createForwardAuth(app.get(Authorizer)),
    connections: app.get(Connections),
    logger,
    trust: config.TRUST_PROXY === undefined ? undefined : (server.get('trust proxy fn') as TrustProxy),
  });
  return app;
}
