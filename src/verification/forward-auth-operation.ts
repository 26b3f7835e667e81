import type { HeadersObject, ParameterObject } from '@nestjs/swagger';
import { RAW_ROUTES } from '../access/raw-routes.js';
import { KEY_CREDENTIAL } from '../api-keys/key-credential.js';
import { KEY_REFUSALS } from '../openapi/describe-access.js';
import type { RawOperation } from '../openapi/document-contributions.js';
import { VERIFICATION_TAG } from './verifications.controller.js';

const JUDGED = 'GET /invoices/{invoiceId}';

/** How the document describes forward auth. */
export const FORWARD_AUTH_OPERATION: RawOperation = {
  route: RAW_ROUTES.forwardAuth,
  path: '/v1/forward_auth/{dialect}/{service}',
  tag: VERIFICATION_TAG.name,
  judged: JUDGED,
  problems: [
    ...KEY_REFUSALS,
    'owner-not-admin',
    'path-ambiguous',
    'endpoint-unknown',
    'application-malformed',
    'database-unavailable',
    'database-busy',
    'decision-failed',
  ],
  operation: {
    operationId: 'forwardAuth',
    description: [
      'A proxy asks this about each request before it passes it on: 200 lets it pass, everything else is a refusal. ' +
        'The header `X-Latchkey-Error` names the code of a refusal too, for proxies that throw its body away.',
      'The `Authorization` of the original request is judged, and must be a key. Any method works, and no body is read. ' +
        'The dialect says which headers describe the original request. A missing, empty or repeated header is a refusal.',
      'With the dialect `envoy`, the original path follows after the service: `/v1/forward_auth/envoy/{service}/the/path`.',
      '**Access:** the key that is presented is judged for the original request.',
    ].join('\n\n'),
    security: [{ [KEY_CREDENTIAL.name]: [] }],
    parameters: [
      {
        name: 'dialect',
        in: 'path',
        required: true,
        description:
          'Which headers describe the original request. `forwarded` (Traefik, Caddy, APISIX): in `X-Forwarded-Method` and ' +
          '`X-Forwarded-Uri`. `original` (nginx): in `X-Original-Method` and `X-Original-URI`. `envoy`: in the method ' +
          'and the path of this request.',
        schema: { type: 'string', enum: ['forwarded', 'original', 'envoy'] },
        example: 'forwarded',
      },
      {
        name: 'service',
        in: 'path',
        required: true,
        description: 'The service whose endpoint is requested.',
        schema: { type: 'string' },
        example: 'billing',
      },
      ...['X-Forwarded-Method', 'X-Original-Method'].map((name) =>
        header(name, 'The method of the original request.', 'GET'),
      ),
      ...['X-Forwarded-Uri', 'X-Original-URI'].map((name) =>
        header(name, 'The path of the original request, unchanged, with its query.', '/invoices/17'),
      ),
    ],
    responses: {
      200: {
        description: 'The request may pass. Every header is there, empty where there is nothing to say.',
        headers: {
          ...text('X-Latchkey-Key-Id', 'Id of the key.', '34'),
          ...text('X-Latchkey-Key-Name', 'Name of the key, percent-encoded.', 'Coupon%20importer'),
          ...text('X-Latchkey-Created-By', 'Id of the user who created the key.', '280'),
          ...text('X-Latchkey-Application-Id', 'The Application in the path.', '1'),
          ...text('X-Latchkey-Endpoint', 'The endpoint that was matched.', JUDGED),
        },
      },
    },
  },
};

function header(name: string, description: string, example: string): ParameterObject {
  return { name, in: 'header', required: false, description, schema: { type: 'string' }, example };
}

function text(name: string, description: string, example: string): HeadersObject {
  return { [name]: { description, schema: { type: 'string' }, example } };
}
