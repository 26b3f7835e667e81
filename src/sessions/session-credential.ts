import type { DocumentedCredential } from '../openapi/document-contributions.js';

/** How the document describes sessions; the name is that of the public SDK. */
export const SESSION_CREDENTIAL: DocumentedCredential = {
  name: 'manager_auth',
  scheme: {
    type: 'http',
    scheme: 'bearer',
    description: '**A session:** the `token` of `POST /v1/sessions`, with or without `Bearer ` in front.',
  },
};
