import type { RequestHandler } from 'express';
import { Problem } from '../problems/problem.js';
import { sendProblem } from '../problems/problem-response.js';
import type { Metrics } from './metrics.js';

/** Creates the route that serves the metrics in the text format of Prometheus. */
export function createMetricsRoute(metrics: Metrics): RequestHandler {
  metrics.addProcess();
  return async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendProblem(request, response, new Problem('method-not-allowed', undefined, { allow: ['GET', 'HEAD'] }));
      return;
    }
    const body = await metrics.registry.metrics();
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Content-Type', metrics.registry.contentType);
    response.send(body);
  };
}
