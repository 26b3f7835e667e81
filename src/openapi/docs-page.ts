import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RequestHandler } from 'express';
import { sendProblem } from '../problems/problem-response.js';
import { Problem } from '../problems/problem.js';

const PAGE = fileURLToPath(new URL('./docs-page/', import.meta.url));

/** Returns the files below `/docs/`, with their folders. No other file is served. */
function pageFiles(): ReadonlyMap<string, string> {
  // The version of Swagger UI that @nestjs/swagger depends on, which fits the documents that it creates.
  const swagger = createRequire(createRequire(import.meta.url).resolve('@nestjs/swagger'));
  const swaggerUi = dirname(swagger.resolve('swagger-ui-dist/package.json'));
  return new Map([
    ['page.css', PAGE],
    ['page.js', PAGE],
    ['favicon.svg', PAGE],
    ['swagger-ui.css', swaggerUi],
    ['swagger-ui-bundle.js', swaggerUi],
  ]);
}

/** Serves Swagger UI: a page of ours and the two files of Swagger UI. The page loads nothing from other hosts. */
export function createDocsPage(): RequestHandler {
  const files = pageFiles();
  const html = readFileSync(join(PAGE, 'page.html'));
  return (request, response, next) => {
    if (!isRead(request.method)) {
      return sendProblem(request, response, new Problem('method-not-allowed', undefined, { allow: ['GET', 'HEAD'] }));
    }
    const [path, query] = request.url.split('?', 2);
    response.setHeader('Cache-Control', 'no-cache');
    if (path === '/docs') {
      return response.type('html').send(html);
    }
    if (path === '/docs/') {
      return response.redirect(308, query === undefined ? '../docs' : `../docs?${query}`);
    }
    const name = path!.slice('/docs/'.length);
    const folder = files.get(name);
    if (!folder) {
      return sendProblem(request, response, new Problem('not-found'));
    }
    return response.sendFile(name, { root: folder, cacheControl: false }, (error?: Error) => {
      if (error && !response.headersSent) {
        next(error);
      }
    });
  };
}

/** Redirects a browser from the address of the process to the page. */
export const leadToDocsPage: RequestHandler = (request, response) => {
  if (!isRead(request.method)) {
    return sendProblem(request, response, new Problem('method-not-allowed', undefined, { allow: ['GET', 'HEAD'] }));
  }
  response.setHeader('Cache-Control', 'no-cache');
  return response.redirect(302, 'docs');
};

/** Serves the OpenAPI document as JSON. The first request builds it, so that it does not slow down the start. */
export function createDocumentRoute(build: () => unknown): RequestHandler {
  let document: Buffer | undefined;
  return (request, response) => {
    if (!isRead(request.method)) {
      return sendProblem(request, response, new Problem('method-not-allowed', undefined, { allow: ['GET', 'HEAD'] }));
    }
    document ??= Buffer.from(JSON.stringify(build()));
    response.setHeader('Cache-Control', 'no-cache');
    return response.type('json').send(document);
  };
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}
