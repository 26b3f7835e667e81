import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { Express } from 'express';
import { describeAccess } from './describe-access.js';
import { describeRawRoutes, JUDGED_ENDPOINTS } from './describe-raw-routes.js';
import { EndpointCatalogue } from '../access/endpoint-catalogue.js';
import { RAW_ROUTES, serveRawRoute } from '../access/raw-routes.js';
import { Config } from '../config/config.js';
import { VERSION } from '../config/version.js';
import { createDocsPage, createDocumentRoute, leadToDocsPage } from './docs-page.js';
import { createDocument, sortedByTag } from './openapi-document.js';
import { addCommonProblems, describeProblems } from './openapi-problems.js';

/** Serves Swagger UI and the OpenAPI document, each from what the routes declare about themselves. */
export function serveDocs(server: Express, app: INestApplication): void {
  serveRawRoute(server, RAW_ROUTES.front, leadToDocsPage);
  serveRawRoute(server, RAW_ROUTES.docs, createDocsPage());
  serveRawRoute(
    server,
    RAW_ROUTES.openapi,
    createDocumentRoute(() => describe(app)),
  );
}

function describe(app: INestApplication): OpenAPIObject {
  const document = createDocument(app, VERSION);
  describeAccess(document, app.get(EndpointCatalogue));
  addCommonProblems(document);
  describeRawRoutes(document, { metrics: app.get(Config).METRICS_ENABLED });
  describeProblems(document, JUDGED_ENDPOINTS);
  return sortedByTag(document);
}
