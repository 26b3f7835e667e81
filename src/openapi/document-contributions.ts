import type { OperationObject, SecuritySchemeObject } from '@nestjs/swagger';
import type { RawRoute } from '../access/raw-routes.js';
import type { ProblemCode } from '../problems/problem-codes.js';

/** The provider of the front text of the document. The composition root supplies it. */
export const DOCUMENT_FRONT = Symbol('latchkey:document-front');

/** A kind of credential, as the document describes it. */
export interface DocumentedCredential {
  /** The name under which operations require it. */
  name: string;
  scheme: SecuritySchemeObject;
}

/** The credentials of both kinds of principal. */
export interface DocumentedCredentials {
  session: DocumentedCredential;
  key: DocumentedCredential;
}

/** The provider of the `DocumentedCredentials`. */
export const DOCUMENTED_CREDENTIALS = Symbol('latchkey:documented-credentials');

/** A raw route that clients call, with the description that its feature supplies. */
export interface RawOperation {
  route: RawRoute;
  /** The path as the document writes it. */
  path: string;
  /** The name of its tag. */
  tag: string;
  problems: readonly ProblemCode[];
  /** The endpoint that examples of its problems name, if the route judges another endpoint than itself. */
  judged?: string;
  operation: Omit<OperationObject, 'tags' | 'summary'>;
}

/** The provider of the list of raw operations that features supply. */
export const RAW_OPERATIONS = Symbol('latchkey:raw-operations');
