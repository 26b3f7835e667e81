import type { DocumentedCredential } from '../openapi/document-contributions.js';

/** How the document describes keys; the name is that of the public SDK. */
export const KEY_CREDENTIAL: DocumentedCredential = {
  name: 'management_key',
  scheme: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: '**A key:** the `key` of `POST /v1/api_keys`, with or without `ManagementKey-v1 ` in front.',
  },
};
