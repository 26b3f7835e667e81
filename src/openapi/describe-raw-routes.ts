import type { OpenAPIObject } from '@nestjs/swagger';
import type { RawOperation } from './document-contributions.js';
import { addProblems } from './openapi-problems.js';

/** Adds the raw routes that clients call. Swagger UI and the document itself need no description. */
export function describeRawRoutes(document: OpenAPIObject, operations: readonly RawOperation[]): void {
  for (const { route, path, tag, problems, operation } of operations) {
    const { operationId, responses, ...rest } = operation;
    const described = {
      operationId,
      summary: route.summary,
      tags: [tag],
      responses,
      'x-access': { kind: route.access },
      ...rest,
    };
    addProblems(described, problems);
    document.paths[path] = { get: described };
  }
}
