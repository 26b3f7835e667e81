import type { OperationObject, SecuritySchemeObject } from '@nestjs/swagger';
import type { RawRoute } from '../access/raw-routes.js';
import type { ProblemCode } from '../problems/problem-codes.js';

/** The front text of the document, which the composition root provides. */
export const DOCUMENT_FRONT = Symbol('latchkey:document-front');

/** A kind of credential, as the document describes it. */
export interface DocumentedCredential {
  /** The name under which operations require it. */
  name: string;
  scheme: SecuritySchemeObject;
}

/** The credentials of both kinds of principals. */
export interface DocumentedCredentials {
  session: DocumentedCredential;
  key: DocumentedCredential;
}

/** The provider of the `DocumentedCredentials`. */
export const DOCUMENTED_CREDENTIALS = Symbol('latchkey:documented-credentials');

/** A raw route that clients call, and what the feature that owns it says about it. */
export interface RawOperation {
  route: RawRoute;
  /** The path as the document writes it. */
  path: string;
  /** The name of its tag. */
  tag: string;
  problems: readonly ProblemCode[];
  /** The endpoint that examples of its problems name, where another one than its own is judged. */
  judged?: string;
  operation: Omit<OperationObject, 'tags' | 'summary'>;
}

/** The raw operations that features provide, as a list. */
export const RAW_OPERATIONS = Symbol('latchkey:raw-operations');
