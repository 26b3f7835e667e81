import type { OpenAPIObject, SecurityRequirementObject } from '@nestjs/swagger';
import type { DocumentedCredentials } from './document-contributions.js';
import { operationsOf } from './openapi-operations.js';
import { addProblems } from './openapi-problems.js';
import type { ProblemCode } from '../problems/problem-codes.js';
import { type OwnEndpoint, endpointName } from '../access/access.js';
import type { EndpointCatalogue } from '../access/endpoint-catalogue.js';

const UNAUTHENTICATED: ProblemCode[] = [
  'credential-missing',
  'malformed',
  'unknown',
  'expired',
  'creator-deactivated',
  'creator-deleted',
  'no-application-left',
  'decision-timeout',
  'too-busy',
];

/** The problems with which a key may be refused, at every endpoint that judges keys. */
export const KEY_REFUSALS: readonly ProblemCode[] = [
  ...UNAUTHENTICATED,
  'endpoint-not-allowed',
  'application-not-allowed',
];

/** The access of an operation in the document, as `x-access`. */
export interface DocumentedAccess {
  kind: string;
  /** Whose session can open an endpoint that keys can open. */
  session?: string;
  /** The scope of an endpoint that keys can open. */
  scope?: string;
}

/**
 * Adds the declaration of each operation to the document: its summary, who may call it, the credential, and the
 * resulting refusals. Throws if the document and the catalogue do not have the same operations.
 */
export function describeAccess(
  document: OpenAPIObject,
  catalogue: EndpointCatalogue,
  credentials: DocumentedCredentials,
): void {
  const endpoints = new Map(catalogue.own.map((endpoint) => [endpointName(endpoint), endpoint]));
  for (const { method, path, operation } of operationsOf(document)) {
    const name = endpointName({ method: method.toUpperCase(), path });
    const endpoint = endpoints.get(name);
    if (!endpoint) {
      throw new Error(`${name} is in the OpenAPI document and not in the catalogue`);
    }
    endpoints.delete(name);
    operation.summary = endpoint.summary;
    operation.description = [operation.description, `**Access:** ${accessInWords(endpoint)}`]
      .filter((paragraph) => paragraph)
      .join('\n\n');
    operation.security = securityOf(endpoint, credentials);
    Object.assign(operation, { 'x-access': documentedAccess(endpoint) });
    addProblems(operation, refusalsOf(endpoint));
  }
  const { session, key } = credentials;
  document.components = {
    ...document.components,
    securitySchemes: { [session.name]: session.scheme, [key.name]: key.scheme },
  };
  if (endpoints.size > 0) {
    throw new Error(`The OpenAPI document lacks ${[...endpoints.keys()].join(', ')}`);
  }
}

/** Returns the access of an endpoint as the document shows it. */
export function documentedAccess({ access, scope }: OwnEndpoint): DocumentedAccess {
  return access.kind === 'key' ? { ...access, scope } : { ...access };
}

function accessInWords({ access, scope }: OwnEndpoint): string {
  switch (access.kind) {
    case 'public':
      return 'anyone. No credential is read.';
    case 'signed-in':
      return 'anyone who is signed in. No key opens this.';
    case 'admin-only':
      return 'an admin who is signed in. No key opens this.';
    case 'key': {
      const key =
        scope === 'application'
          ? 'a key that was granted this endpoint and opens this Application'
          : 'a key that was granted this endpoint and is not limited to Applications';
      const session = access.session === 'any' ? 'anyone who is signed in' : 'an admin who is signed in';
      return `${key}, or ${session}.`;
    }
    default:
      return access satisfies never;
  }
}

function securityOf({ access }: OwnEndpoint, { session, key }: DocumentedCredentials): SecurityRequirementObject[] {
  switch (access.kind) {
    case 'public':
      return [];
    case 'signed-in':
    case 'admin-only':
      return [{ [session.name]: [] }];
    case 'key':
      return [{ [key.name]: [] }, { [session.name]: [] }];
    default:
      return access satisfies never;
  }
}

function refusalsOf({ access, scope }: OwnEndpoint): ProblemCode[] {
  switch (access.kind) {
    case 'public':
      return [];
    case 'signed-in':
      return [...UNAUTHENTICATED, 'endpoint-not-allowed'];
    case 'admin-only':
      return [...UNAUTHENTICATED, 'endpoint-not-allowed', 'admin-required'];
    case 'key':
      return [
        ...KEY_REFUSALS,
        ...(scope === 'application' ? (['application-malformed'] as const) : []),
        ...(access.session === 'admin' ? (['admin-required', 'owner-not-admin'] as const) : []),
      ];
    default:
      return access satisfies never;
  }
}
