import type { OpenAPIObject, OperationObject } from '@nestjs/swagger';

/** The methods under which a path of a document can have an operation. */
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;

/** One operation of a document. */
export interface DocumentedOperation {
  /** Lower case, as in the document. */
  method: (typeof METHODS)[number];
  path: string;
  operation: OperationObject;
}

/** Every operation of a document, in its order. */
export function operationsOf(document: OpenAPIObject): DocumentedOperation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ method, path, operation }] : [];
    }),
  );
}
