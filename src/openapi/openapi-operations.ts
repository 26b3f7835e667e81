import type { OpenAPIObject, OperationObject } from '@nestjs/swagger';

/** The methods that an operation of a document can have. */
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;

/** One operation of a document. */
export interface DocumentedOperation {
  /** Lower case, as in the document. */
  method: (typeof METHODS)[number];
  path: string;
  operation: OperationObject;
}

/** Returns every operation of a document, in order. */
export function operationsOf(document: OpenAPIObject): DocumentedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ method, path, operation }] : [];
    }),
  );
}
