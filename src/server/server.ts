import type { INestApplication, NestApplicationOptions } from '@nestjs/common';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import express, { type Express } from 'express';
import helmet from 'helmet';
import { Authorizer } from '../access/authorizer.js';
import { EndpointCatalogue } from '../access/endpoint-catalogue.js';
import { RAW_ROUTES, refuseUndeclaredRoutes, serveAhead, serveRawRoute } from '../access/raw-routes.js';
import { Config } from '../config/config.js';
import { serveDocs } from '../openapi/docs.js';
import type { Logger } from 'pino';
import { Drain } from '../health/drain.js';
import type { TrustProxy } from '../request/client-address.js';
import { parseQuery } from '../input/query-string.js';
import { boundConnections } from './connections.js';
import { ignoreBehindLastAnswer } from '../request/end-answer.js';
import { requireHost } from './host-header.js';
import { createRequestLog } from '../request/request-log.js';
import { answerRequestId } from '../request/request-id.js';
import { answerUnparsable } from './unparsable-request.js';
import { Metrics } from '../metrics/metrics.js';
import { createMetricsRoute } from '../metrics/metrics-route.js';
import { createForwardAuth, refusalOfUnparsable } from '../verification/forward-auth.js';

/** How Nest is to be set up, in the process and in tests. */
export const APPLICATION_OPTIONS: NestApplicationOptions = {
  bodyParser: false,
  routeConflictPolicy: { duplicate: 'error', shadow: 'error' },
  routeResolutionStrategy: 'specificity',
  abortOnError: false,
};

/** Express as Latchkey wants it: `/V1/...` and a trailing slash are other paths, and queries are flat. */
export function createServerAdapter(): ExpressAdapter {
  const server = express();
  server.set('case sensitive routing', true);
  server.set('strict routing', true);
  server.set('query parser', parseQuery);
  server.set('etag', false);
  server.disable('x-powered-by');
  // Without validators no client can have an answer already, but Express believes `If-None-Match: *` and sends a 304.
  Object.defineProperty(server.request, 'fresh', { get: () => false });
  return new ExpressAdapter(server);
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
  app.use(answerRequestId);
  const trust = server.get('trust proxy fn') as TrustProxy;
  app.use(createRequestLog(logger, trust));
  app.use(requireHost);
  app.use(
    helmet({
      contentSecurityPolicy: {
        directives: {
          defaultSrc: ["'self'"],
          fontSrc: ["'self'"],
          imgSrc: ["'self'", 'data:'],
          styleSrc: ["'self'", "'unsafe-inline'"],
          // Over plain http a browser would otherwise load nothing at all.
          upgradeInsecureRequests: null,
        },
      },
      strictTransportSecurity: false,
      // Browsers heed these two over TLS alone, and complain about them on a page that came without it.
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
  const http = app.getHttpServer();
  const forwardAuth = createForwardAuth(app.get(Authorizer), logger, trust);
  serveAhead(http, RAW_ROUTES.forwardAuth, forwardAuth);
  answerUnparsable(http, logger, refusalOfUnparsable);
  // Node would leave out what comes after 2,000 headers without a word, another credential or method included. Their
  // size is bounded anyway.
  http.maxHeadersCount = 0;
  boundConnections(http, config.CONNECTIONS_MAX);
  ignoreBehindLastAnswer(http);
  app.get(Drain).watch(http);
  return app;
}
