import { jest } from '@jest/globals';
import { readServiceBody } from '../../src/services/documents/openapi-body.js';
import { OpenApiReader } from '../../src/services/documents/openapi-reader.js';
import type { Latchkey } from './harness.js';

/**
 * Parses the documents of an instance without the thread, whose start costs far more than a small document. The content
 * is copied as if it came from there. Returns what gives the thread back. `service-documents.test.ts` and
 * `service-refusals.test.ts` test the thread.
 */
export function readWithoutThread(latchkey: Latchkey): () => void {
  const spy = jest
    .spyOn(latchkey.get(OpenApiReader), 'read')
    .mockImplementation((body) => Promise.resolve(structuredClone(readServiceBody(body))));
  return () => spy.mockRestore();
}
