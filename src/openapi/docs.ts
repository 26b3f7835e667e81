import type { INestApplication, Type } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { Express } from 'express';
import { describeAccess } from './describe-access.js';
import { describeRawRoutes } from './describe-raw-routes.js';
import { EndpointCatalogue } from '../access/endpoint-catalogue.js';
import { RAW_ROUTES, serveRawRoute } from '../access/raw-routes.js';
import { COMMON_PROBLEM_EXAMPLES } from '../problems/problem-examples.js';
import { VERSION } from '../config/version.js';
import { createDocsPage, createDocumentRoute, leadToDocsPage } from './docs-page.js';
import { createDocument, sortedByTag } from './openapi-document.js';
import {
  DOCUMENT_FRONT,
  DOCUMENTED_CREDENTIALS,
  type DocumentedCredentials,
  RAW_OPERATIONS,
  type RawOperation,
} from './document-contributions.js';
import { addCommonProblems, describeProblems } from './openapi-problems.js';
import { tagsOf } from './tag.decorator.js';

/** Serves Swagger UI and the OpenAPI document, which is built from what the routes declare. */
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
  const controllers = app.get(DiscoveryService).getControllers();
  const tags = tagsOf(controllers.map(({ metatype }) => metatype as Type));
  const document = createDocument(app, { version: VERSION, front: app.get<string>(DOCUMENT_FRONT), tags });
  describeAccess(document, app.get(EndpointCatalogue), app.get<DocumentedCredentials>(DOCUMENTED_CREDENTIALS));
  addCommonProblems(document);
  const rawOperations = app.get<readonly RawOperation[]>(RAW_OPERATIONS);
  describeRawRoutes(document, rawOperations);
  describeProblems(document, {
    examples: Object.assign({}, COMMON_PROBLEM_EXAMPLES, ...tags.map(({ examples }) => examples)),
    judged: new Map(rawOperations.flatMap(({ path, judged }) => (judged === undefined ? [] : [[path, judged]]))),
  });
  return sortedByTag(document);
}
