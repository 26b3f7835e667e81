import { RAW_ROUTES } from '../access/raw-routes.js';
import type { RawOperation } from '../openapi/document-contributions.js';
import { HEALTH_TAG } from './health.controller.js';

/** How the document describes the metrics. */
export const METRICS_OPERATION: RawOperation = {
  route: RAW_ROUTES.metrics,
  path: RAW_ROUTES.metrics.path,
  tag: HEALTH_TAG.name,
  problems: [],
  operation: {
    operationId: 'getMetrics',
    description: 'In the text format of Prometheus.\n\n**Access:** anyone. No credential is read.',
    security: [],
    responses: {
      200: {
        description: 'Done.',
        content: {
          'text/plain': {
            schema: { type: 'string' },
            example:
              '# TYPE latchkey_decisions_total counter\n' +
              'latchkey_decisions_total{kind="route",outcome="allowed"} 4711\n' +
              'latchkey_decisions_total{kind="route",outcome="expired"} 2\n',
          },
        },
      },
    },
  },
};
